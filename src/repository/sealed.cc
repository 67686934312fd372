// See sealed.h. The writer compresses into the object's own buffer and encrypts there, in place: no
// byte is copied. The reader keeps what it needs to open a frame for the next one, one such set for
// each thread that reads at the same time.
#include "repository/sealed.h"

#include <fmt/format.h>
#include <zstd.h>

#include <mutex>
#include <utility>

#include "base/check.h"
#include "repository/format.h"
#include "repository/frame_cipher.h"
#include "vault/crypto.h"

namespace howdah::repository {

namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};
using Compressor = std::unique_ptr<ZSTD_CCtx, Freer<ZSTD_freeCCtx>>;
using Decompressor = std::unique_ptr<ZSTD_DCtx, Freer<ZSTD_freeDCtx>>;

// Longer without zeros in it; what stands there already stays.
void Lengthen(std::string& bytes, std::size_t size) {
  bytes.resize_and_overwrite(size, [size](char*, std::size_t) { return size; });
}

std::string RandomBytes(system::Entropy& entropy, std::size_t count) {
  std::string bytes(count, '\0');
  entropy.Fill(std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

FrameCipher MakeCipher(FrameCipher::Use use, const DataKey& key, std::string_view name,
                       std::string_view head, std::string_view salt) {
  std::string object_key = ObjectKey(key.key, salt);
  const vault::Wiper wiper(object_key);
  char name_size[4];
  PutUint32(static_cast<std::uint32_t>(name.size()), name_size);
  std::string place(name_size, sizeof name_size);
  place.append(name).append(head.substr(0, kHeadBytes));
  return {use, object_key, std::move(place)};
}

std::unexpected<Error> FailFrame(std::string_view name, std::uint32_t number,
                                 std::string_view what) {
  return Fail(Code::kCorrupt, fmt::format("object {}, frame {}: {}", name, number, what));
}

// What opens frames; one thread at a time.
struct Opener {
  FrameCipher cipher;
  Decompressor decompressor{ZSTD_createDCtx()};
  std::string compressed;  // kept only for its memory

  // Appends the frame's bytes. `stored` has exactly the length that its head says.
  Result<> AppendTo(std::string& out, std::string_view name, std::uint32_t number,
                    const FrameHead& head, std::string_view stored);
};

Result<> Opener::AppendTo(std::string& out, std::string_view name, std::uint32_t number,
                          const FrameHead& head, std::string_view stored) {
  const std::string_view frame_head = stored.substr(0, kFrameHeadBytes);
  const std::string_view sealed = stored.substr(kFrameHeadBytes);
  const std::size_t at = out.size();
  Lengthen(out, at + head.raw_bytes);
  const std::size_t size = sealed.size() - vault::kTagSize;
  if (head.compressed && compressed.size() < size) Lengthen(compressed, size);
  char* plain = head.compressed ? compressed.data() : out.data() + at;
  if (!cipher.Open(number, frame_head, sealed, plain)) {
    return FailFrame(name, number, "it was changed, or belongs to another object or place");
  }
  if (!head.compressed) return {};
  const std::size_t got =
      ZSTD_decompressDCtx(decompressor.get(), out.data() + at, head.raw_bytes, plain, size);
  if (got == head.raw_bytes) return {};
  return FailFrame(name, number, "it was sealed with contents that do not decompress");
}

}  // namespace

DataKey::~DataKey() {
  vault::Wipe(key);
}

// --- writing ---

struct ObjectWriter::Parts {
  std::string name;
  std::string bytes;
  FrameCipher cipher;
  Compressor compressor;
  std::uint32_t frames = 0;
  bool finished = false;

  // Compresses behind `at`; the size, or 0 where that makes nothing smaller.
  std::size_t Compress(std::string_view raw, std::size_t at);
  void Seal(const FrameHead& head, std::size_t at, std::string_view plain);
};

std::size_t ObjectWriter::Parts::Compress(std::string_view raw, std::size_t at) {
  const std::size_t bound = ZSTD_compressBound(raw.size());
  Lengthen(bytes, at + bound + vault::kTagSize);
  const std::size_t size =
      ZSTD_compress2(compressor.get(), bytes.data() + at, bound, raw.data(), raw.size());
  Check(ZSTD_isError(size) == 0, "zstd compresses into a buffer of its bound");
  return size < raw.size() ? size : 0;
}

void ObjectWriter::Parts::Seal(const FrameHead& head, std::size_t at, std::string_view plain) {
  Check(frames < UINT32_MAX, "frames have numbers of 32 bits");
  EncodeFrameHead(head, bytes.data() + at);
  char* const sealed = bytes.data() + at + kFrameHeadBytes;
  cipher.Seal(frames++, std::string_view(bytes).substr(at, kFrameHeadBytes), plain, sealed);
}

ObjectWriter::ObjectWriter(std::string name, const DataKey& key, system::Entropy& entropy,
                           int level) {
  const Head head{.key_id = KeyIdBytes(key.id), .salt = RandomBytes(entropy, kSaltBytes)};
  Check(head.key_id.size() == kKeyIdBytes && key.key.size() == vault::kKeySize, "a data key");
  std::string bytes = EncodeHead(head);
  FrameCipher cipher = MakeCipher(FrameCipher::Use::kSeal, key, name, bytes, head.salt);
  parts_.reset(new Parts{.name = std::move(name),
                         .bytes = std::move(bytes),
                         .cipher = std::move(cipher),
                         .compressor = Compressor(ZSTD_createCCtx())});
  ZSTD_CCtx* context = parts_->compressor.get();
  Check(context != nullptr, "zstd has memory");
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);  // the frame's head says it
}

ObjectWriter::ObjectWriter(ObjectWriter&&) noexcept = default;
ObjectWriter::~ObjectWriter() = default;

FrameRef ObjectWriter::Add(std::string_view raw) {
  Check(!parts_->finished, "a finished object takes no more frames");
  Check(!raw.empty() && raw.size() <= kMostFrameBytes, "a frame has 1 to kMostFrameBytes");
  Parts& parts = *parts_;
  const std::size_t at = parts.bytes.size();
  const std::size_t data_at = at + kFrameHeadBytes;
  const std::size_t compressed = parts.Compress(raw, data_at);
  const std::size_t sealed = (compressed != 0 ? compressed : raw.size()) + vault::kTagSize;
  parts.bytes.resize(data_at + sealed);
  const FrameHead head{.sealed_bytes = static_cast<std::uint32_t>(sealed),
                       .raw_bytes = static_cast<std::uint32_t>(raw.size()),
                       .compressed = compressed != 0};
  const FrameRef ref{.number = parts.frames,
                     .offset = at,
                     .stored_bytes = static_cast<std::uint32_t>(kFrameHeadBytes + sealed),
                     .raw_bytes = head.raw_bytes};
  parts.Seal(head, at,
             compressed != 0 ? std::string_view(parts.bytes).substr(data_at, compressed) : raw);
  return ref;
}

std::uint64_t ObjectWriter::size_bytes() const {
  return parts_->bytes.size();
}

const std::string& ObjectWriter::name() const {
  return parts_->name;
}

std::string ObjectWriter::Finish() {
  Check(!parts_->finished, "an object is finished once");
  const std::size_t at = parts_->bytes.size();
  parts_->bytes.resize(at + kFrameHeadBytes + vault::kTagSize);
  parts_->Seal({.sealed_bytes = vault::kTagSize, .last = true}, at, {});
  parts_->finished = true;
  return std::move(parts_->bytes);
}

// --- reading ---

struct ObjectReader::Parts {
  std::string name;
  std::string head;
  std::string salt;
  DataKey key;
  std::mutex mutex;
  std::vector<Opener> idle;  // at most as many as threads have read at once

  Opener Take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Opener opener = std::move(idle.back());
        idle.pop_back();
        return opener;
      }
    }
    return {.cipher = MakeCipher(FrameCipher::Use::kOpen, key, name, head, salt)};
  }
  void Return(Opener opener) {
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(opener));
  }
};

ObjectReader::ObjectReader(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ObjectReader::ObjectReader(ObjectReader&&) noexcept = default;
ObjectReader::~ObjectReader() = default;

Result<ObjectReader> ObjectReader::Open(std::string name, std::string_view head,
                                        const DataKey& key) {
  TRY_ASSIGN(Head decoded, DecodeHead(name, head));
  if (decoded.key_id != KeyIdBytes(key.id)) {
    return Fail(Code::kCorrupt, fmt::format("object {}: it was sealed with data key {}, not {}",
                                            name, Hex(decoded.key_id), key.id));
  }
  auto parts = std::make_unique<Parts>();
  parts->name = std::move(name);
  parts->head = head.substr(0, kHeadBytes);
  parts->salt = std::move(decoded.salt);
  parts->key = key;
  return ObjectReader(std::move(parts));
}

Result<std::string> ObjectReader::Frame(const FrameRef& frame, std::string_view stored) const {
  const auto bad = [&](std::string_view what) {
    return FailFrame(parts_->name, frame.number, what);
  };
  if (stored.size() != frame.stored_bytes || stored.size() < kFrameHeadBytes) {
    return bad(fmt::format("{} bytes are there instead of {}", stored.size(), frame.stored_bytes));
  }
  const Result<FrameHead> head = DecodeFrameHead(stored);
  if (!head) return bad(head.error().what());
  if (head->sealed_bytes + kFrameHeadBytes != stored.size() || head->raw_bytes != frame.raw_bytes) {
    return bad("its head says another length");
  }
  Opener opener = parts_->Take();
  std::string raw;
  const Result<> appended = opener.AppendTo(raw, parts_->name, frame.number, *head, stored);
  parts_->Return(std::move(opener));
  if (!appended) return Fail(appended.error());
  return raw;
}

Result<std::string> KeyIdOf(std::string_view name, std::string_view head) {
  TRY_ASSIGN(const Head decoded, DecodeHead(name, head));
  return Hex(decoded.key_id);
}

// --- whole objects ---

std::string SealObject(const std::string& name, std::string_view raw, const DataKey& key,
                       system::Entropy& entropy, int level) {
  ObjectWriter writer(name, key, entropy, level);
  for (; !raw.empty(); raw.remove_prefix(std::min(raw.size(), kMostFrameBytes))) {
    writer.Add(raw.substr(0, kMostFrameBytes));
  }
  return writer.Finish();
}

Result<std::string> OpenObject(const std::string& name, std::string_view object,
                               const DataKey& key) {
  TRY_ASSIGN(const ObjectReader checked, ObjectReader::Open(name, object, key));
  TRY_ASSIGN(const Head head, DecodeHead(name, object));
  Opener opener{.cipher = MakeCipher(FrameCipher::Use::kOpen, key, name, object, head.salt)};
  std::string raw;
  object.remove_prefix(kHeadBytes);
  for (std::uint32_t number = 0;; ++number) {
    if (object.size() < kFrameHeadBytes) return FailFrame(name, number, "it is cut off");
    const Result<FrameHead> frame = DecodeFrameHead(object);
    if (!frame) return FailFrame(name, number, frame.error().what());
    const std::size_t stored = kFrameHeadBytes + frame->sealed_bytes;
    if (object.size() < stored) return FailFrame(name, number, "it is cut off");
    TRY(opener.AppendTo(raw, name, number, *frame, object.substr(0, stored)));
    object.remove_prefix(stored);
    if (!frame->last) continue;
    if (!object.empty()) return FailFrame(name, number, "something follows the last frame");
    return raw;
  }
}

}  // namespace howdah::repository
