// SPDX-License-Identifier: Apache-2.0
#include "format/rewrap.hpp"

#include "format/chunk.hpp"
#include "format/index.hpp"
#include "format/key_ring.hpp"
#include "format/record.hpp"
#include "format/seal.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::format {
namespace {

class Copier {
 public:
  Copier(const FileId& id, AppendFile& out) : id_(id), out_(out) {}

  Result<void> put(ByteView bytes) {
    TRY(out_.append(bytes));
    offset_ += bytes.size();
    return {};
  }

  Result<void> take(const RecordScanner::Record& record, ByteView body) {
    const auto type = record.frame.record_type();
    if (type == RecordType::chunk) {
      TRY_ASSIGN(const auto chunk, decode_chunk_head(body));
      index_.add(offset_, chunk.core, chunk.begins_group, chunk.raw_bytes);
    } else if (type == RecordType::end) {
      end_offset_ = offset_;
    } else if (type == RecordType::seal) {
      TRY_ASSIGN(const auto seal, decode_seal(body));
      final_ = final_ || seal.final();
      last_seal_offset_ = offset_;
    }
    next_seq_ = record.frame.seq + 1;
    Bytes bytes;
    append_record(bytes, id_, type, record.frame.seq, body);
    return put(bytes);
  }

  Result<void> finish() {
    return final_ ? put(index_.encode(id_, next_seq_, offset_, end_offset_, last_seal_offset_))
                  : Result<void>();
  }

 private:
  FileId id_;
  AppendFile& out_;
  IndexBuilder index_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_offset_ = 0;
  std::uint64_t last_seal_offset_ = 0;
  std::uint32_t next_seq_ = 0;
  bool final_ = false;
};

Result<void> write_synced(const std::string& path, ByteView bytes) {
  TRY_ASSIGN(const auto file, PosixAppendFile::create(path));
  TRY(file->append(bytes));
  return file->sync();
}

}  // namespace

Result<void> copy_with_key_box(const ReadFile& source, const KeyBox& box, AppendFile& out,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  Bytes preamble(k_preamble_bytes);
  TRY_ASSIGN(const auto n, source.read_at(0, preamble));
  preamble.resize(n);
  TRY_ASSIGN(const auto start, decode_preamble(preamble));
  const FileId& id = start.file_id;
  TRY_ASSIGN(const auto there, read_key_box(source, id));
  if (!there) {
    return fail(Errc::bad_usage, "the session is not encrypted");
  }
  if (there->form == KeyBoxForm::other_key || box.form == KeyBoxForm::other_key) {
    return fail(Errc::bad_usage,
                "the key box of a redacted copy is part of its note and cannot be replaced in it");
  }
  TRY_ASSIGN(const auto size, source.size());
  Copier copy(id, out);
  TRY(copy.put(preamble));
  RecordScanner scanner(source, id, k_preamble_bytes);
  std::uint64_t told = 0;
  while (true) {
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      break;
    }
    if (record->skipped != 0) {
      return fail(Errc::corrupt, "the session is damaged: salvage it first");
    }
    const auto type = record->frame.record_type();
    if (type == RecordType::index || type == RecordType::footer) {
      continue;
    }
    const Bytes anew = type == RecordType::key_box ? encode(box) : Bytes{};
    TRY(copy.take(*record, type == RecordType::key_box ? ByteView(anew) : record->body));
    if (progress && record->offset - told > (1U << 20U)) {
      told = record->offset;
      progress(told, size);
    }
  }
  TRY(copy.finish());
  return out.sync();
}

Result<void> store_key_boxes(const std::string& directory, const FileId& id,
                             const std::vector<Bytes>& boxes, bool replace) {
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const std::string path = directory + "/" + box_name(id, i, boxes.size());
    if (!replace) {
      TRY(write_synced(path, boxes[i]));
    } else {
      const std::string fresh = path + ".new";
      ::unlink(fresh.c_str());
      TRY(write_synced(fresh, boxes[i]));
      if (::rename(fresh.c_str(), path.c_str()) != 0) {
        return fail_sys(errno, path);
      }
    }
    TRY(sync_parent_directory(path));
  }
  return {};
}

Result<void> destroy_key_box(const std::string& path) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat facts {};
  if (!file.valid() || ::fstat(file.get(), &facts) != 0) {
    return fail_sys(errno, path);
  }
  if (!S_ISREG(facts.st_mode)) {
    return fail(Errc::bad_usage, path + " is not a file");
  }
  const Bytes zeros(static_cast<std::size_t>(facts.st_size));
  TRY(write_all(file.get(), zeros));
  if (::fsync(file.get()) != 0) {
    return fail_sys(errno, path);
  }
  if (::unlink(path.c_str()) != 0) {
    return fail_sys(errno, path);
  }
  return sync_parent_directory(path);
}

}  // namespace sworn::format
