// SPDX-License-Identifier: Apache-2.0
#include "format/compress.hpp"

#include "format/constants.hpp"

#include <zstd.h>

#include <cstring>

namespace sworn::format {
namespace {

struct FreeC {
  void operator()(ZSTD_CCtx* ctx) const { ::ZSTD_freeCCtx(ctx); }
};
struct FreeD {
  void operator()(ZSTD_DCtx* ctx) const { ::ZSTD_freeDCtx(ctx); }
};

bool bad(std::size_t rc) {
  return ::ZSTD_isError(rc) != 0;
}

bool is_zstd_frame(ByteView stored) {
  std::uint32_t magic = 0;
  if (stored.size() < sizeof magic) {
    return false;
  }
  std::memcpy(&magic, stored.data(), sizeof magic);
  return magic == ZSTD_MAGICNUMBER;
}

}  // namespace

struct Compressor::Impl {
  std::unique_ptr<ZSTD_CCtx, FreeC> ctx;
  bool ready = false;
};

Compressor::Compressor(int level) : impl_(std::make_unique<Impl>()) {
  impl_->ctx.reset(::ZSTD_createCCtx());
  if (!impl_->ctx) {
    return;
  }
  auto* ctx = impl_->ctx.get();
  // No checksum and no size: the record's crc and the chunk's leaf root say more.
  impl_->ready = !bad(::ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, level)) &&
                 !bad(::ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, k_window_log)) &&
                 !bad(::ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0)) &&
                 !bad(::ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 0));
}

Compressor::~Compressor() = default;

Result<void> Compressor::compress(ByteView raw, GroupPart part, Bytes& out) {
  if (!impl_->ready) {
    return fail(Errc::exhausted, "no memory for the compressor");
  }
  auto* ctx = impl_->ctx.get();
  if (part != GroupPart::continues && bad(::ZSTD_CCtx_reset(ctx, ZSTD_reset_session_only))) {
    return fail(Errc::io, "zstd cannot be reset");
  }
  const std::size_t start = out.size();
  out.resize(start + ::ZSTD_compressBound(raw.size()) + 64);
  ZSTD_inBuffer in{raw.data(), raw.size(), 0};
  ZSTD_outBuffer to{out.data() + start, out.size() - start, 0};
  const auto directive = part == GroupPart::whole ? ZSTD_e_end : ZSTD_e_flush;
  const std::size_t left = ::ZSTD_compressStream2(ctx, &to, &in, directive);
  if (bad(left) || left != 0 || in.pos != in.size) {
    return fail(Errc::io, "zstd cannot compress");
  }
  out.resize(start + to.pos);
  return {};
}

struct Decompressor::Impl {
  std::unique_ptr<ZSTD_DCtx, FreeD> ctx;
  bool at_start = true;   // nothing of the group's frame was read yet
  bool finished = false;  // the frame is over: nothing may follow in this group
};

Decompressor::Decompressor() : impl_(std::make_unique<Impl>()) {
  impl_->ctx.reset(::ZSTD_createDCtx());
  begin_group();
}

Decompressor::~Decompressor() = default;

void Decompressor::begin_group() {
  if (impl_->ctx) {
    ::ZSTD_DCtx_reset(impl_->ctx.get(), ZSTD_reset_session_only);
    ::ZSTD_DCtx_setParameter(impl_->ctx.get(), ZSTD_d_windowLogMax, k_window_log);
  }
  impl_->at_start = true;
  impl_->finished = false;
}

Result<void> Decompressor::decompress(ByteView stored, std::span<std::byte> out) {
  if (!impl_->ctx) {
    return fail(Errc::exhausted, "no memory for the decompressor");
  }
  // Exactly one zstd frame a group. The library would also take skippable frames, in which anything
  // could hide, and the formats of its own past, which nobody needs to parse here.
  if (impl_->at_start && !is_zstd_frame(stored)) {
    return fail(Errc::corrupt, "a group does not begin with a zstd frame");
  }
  impl_->at_start = false;
  ZSTD_inBuffer in{stored.data(), stored.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  while (in.pos < in.size) {
    if (impl_->finished) {
      return fail(Errc::corrupt, "bytes behind the zstd frame of a group");
    }
    const auto before_in = in.pos;
    const auto before_out = to.pos;
    const auto left = ::ZSTD_decompressStream(impl_->ctx.get(), &to, &in);
    if (bad(left)) {
      return fail(Errc::corrupt, "the compressed data is damaged");
    }
    impl_->finished = left == 0;
    if (in.pos == before_in && to.pos == before_out) {
      return fail(Errc::corrupt, "a chunk expands to more than it announces");
    }
  }
  if (to.pos != to.size) {
    return fail(Errc::corrupt, "a chunk expands to less than it announces");
  }
  // Whatever zstd still holds back would be more than the chunk announces.
  std::byte extra{};
  ZSTD_outBuffer more{&extra, 1, 0};
  ZSTD_inBuffer nothing{nullptr, 0, 0};
  ::ZSTD_decompressStream(impl_->ctx.get(), &more, &nothing);
  if (more.pos != 0) {
    return fail(Errc::corrupt, "a chunk expands to more than it announces");
  }
  return {};
}

}  // namespace sworn::format
