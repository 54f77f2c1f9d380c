// SPDX-License-Identifier: Apache-2.0
#include "cli/case_archive.hpp"

#include "format/digest.hpp"

#include <algorithm>
#include <cerrno>

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

namespace sworn::cli {
namespace {

constexpr std::size_t k_block_bytes = 256U << 10U;
constexpr std::int64_t k_us = 1'000'000;

}  // namespace

struct CaseArchive::Impl {
  std::string path;
  std::string root;
  WallTime when;
  std::unique_ptr<PosixAppendFile> file;
  std::unique_ptr<archive, int (*)(archive*)> writer{nullptr, archive_write_free};
  std::string digests;
  bool finished = false;

  tl::unexpected<Error> trouble() const {
    const char* text = archive_error_string(writer.get());
    return tl::make_unexpected(
        Error{Errc::io, archive_errno(writer.get()),
              "cannot write " + path + (text == nullptr ? "" : ": " + std::string(text))});
  }

  Result<void> begin(const std::string& name, std::uint64_t bytes) const {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                         archive_entry_free);
    archive_entry_set_pathname(entry.get(), (root + "/" + name).c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), when.us / k_us, 0);
    if (archive_write_header(writer.get(), entry.get()) != ARCHIVE_OK) {
      return trouble();
    }
    return {};
  }
  Result<void> data(ByteView bytes) const {
    if (!bytes.empty() && archive_write_data(writer.get(), bytes.data(), bytes.size()) !=
                              static_cast<la_ssize_t>(bytes.size())) {
      return trouble();
    }
    return {};
  }
  void note(const std::string& name, const format::Digest& digest) {
    digests += format::to_hex(digest) + "  " + name + "\n";
  }
};

CaseArchive::CaseArchive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

CaseArchive::~CaseArchive() {
  if (!impl_->finished) {
    ::unlink(impl_->path.c_str());
  }
}

Result<std::unique_ptr<CaseArchive>> CaseArchive::create(const std::string& path, std::string root,
                                                         WallTime when) {
  auto impl = std::make_unique<Impl>();
  TRY_ASSIGN(impl->file, PosixAppendFile::create(path));
  impl->path = path;
  impl->root = std::move(root);
  impl->when = when;
  auto out = std::unique_ptr<CaseArchive>(new CaseArchive(std::move(impl)));
  auto& writer = out->impl_->writer;
  writer.reset(archive_write_new());
  if (!writer || archive_write_set_format_pax_restricted(writer.get()) != ARCHIVE_OK ||
      archive_write_add_filter_zstd(writer.get()) < ARCHIVE_WARN ||
      archive_write_open_fd(writer.get(), out->impl_->file->fd()) != ARCHIVE_OK) {
    return writer ? out->impl_->trouble() : fail(Errc::io, "libarchive cannot be used");
  }
  return out;
}

Result<void> CaseArchive::add(const std::string& name, ByteView content) {
  TRY(impl_->begin(name, content.size()));
  TRY(impl_->data(content));
  impl_->note(name, format::sha256(content));
  return {};
}

Result<void> CaseArchive::add_text(const std::string& name, std::string_view text) {
  return add(name, as_bytes(text));
}

Result<void> CaseArchive::add_file(const std::string& name, const ReadFile& file) {
  TRY_ASSIGN(const auto size, file.size());
  TRY(impl_->begin(name, size));
  format::Sha256 hash;
  Bytes buffer(k_block_bytes);
  for (std::uint64_t at = 0; at < size;) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size - at, buffer.size()));
    TRY_ASSIGN(const auto n, file.read_at(at, std::span(buffer).first(want)));
    if (n == 0) {
      return fail(Errc::truncated, name + " became shorter while it was read");
    }
    const auto part = ByteView(buffer).first(n);
    TRY(impl_->data(part));
    hash.update(part);
    at += n;
  }
  impl_->note(name, hash.finish());
  return {};
}

Result<void> CaseArchive::finish() {
  const std::string digests = impl_->digests;
  TRY(add_text("SHA256SUMS", digests));
  if (archive_write_close(impl_->writer.get()) != ARCHIVE_OK) {
    return impl_->trouble();
  }
  TRY(impl_->file->sync());
  TRY(sync_parent_directory(impl_->path));
  impl_->finished = true;
  return {};
}

}  // namespace sworn::cli
