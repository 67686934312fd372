#include "backup/frame_reader.h"

#include <span>

#include "backup/catalogue.h"

namespace howdah::backup {

namespace {

class Reader {
 public:
  Reader(const Needs& needs, const FrameSource& source, Job& job)
      : needs_(needs), source_(source), job_(job), packs_(needs) {}

  Result<> Work(PieceSink& sink, const std::atomic<bool>& stop) {
    while (!stop) {
      const std::size_t batch = next_++;
      if (batch >= source_.plan.batches.size()) return {};
      TRY(job_.GoOn());
      TRY(Read(source_.plan.batches[batch], sink));
    }
    return {};
  }

 private:
  Result<> Read(const FrameBatch& batch, PieceSink& sink) {
    const std::string name =
        PackName(source_.manifest.instance, source_.manifest.packs[batch.pack]);
    const auto pack = packs_.Open(name);
    if (!pack) return sink.OnDamage(pack.error());
    const auto stored = needs_.repository.GetRange(name, batch.offset, batch.size_bytes);
    if (!stored) return sink.OnDamage(stored.error().During("reading " + name));
    const auto& pieces = source_.plan.pieces;
    for (std::size_t i = batch.first_piece; i < batch.end_piece;) {
      const auto& frame = source_.table.packs[batch.pack][pieces[i].frame];
      std::size_t end = i;
      while (end < batch.end_piece && pieces[end].frame == frame.number) ++end;
      const auto bytes = (*pack)->Frame(
          frame, std::string_view(*stored).substr(frame.offset - batch.offset, frame.stored_bytes));
      if (!bytes) {
        TRY(sink.OnDamage(bytes.error()));
      } else {
        TRY(Spread(std::span(pieces).subspan(i, end - i), *bytes, sink));
      }
      i = end;
    }
    return {};
  }

  Result<> Spread(std::span<const FramePiece> pieces, std::string_view bytes, PieceSink& sink) {
    for (const FramePiece& piece : pieces) {
      TRY(sink.OnPiece(piece, bytes.substr(piece.offset, piece.length)));
      job_.done_bytes += piece.length;
    }
    return {};
  }

  const Needs& needs_;
  const FrameSource& source_;
  Job& job_;
  Packs packs_;
  std::atomic<std::size_t> next_ = 0;
};

}  // namespace

Result<> ReadFrames(const Needs& needs, const FrameSource& source, unsigned threads, Job& job,
                    const std::function<std::unique_ptr<PieceSink>()>& make) {
  Reader reader(needs, source, job);
  return RunCrew(threads, [&](unsigned, const std::atomic<bool>& stop) {
    const std::unique_ptr<PieceSink> sink = make();
    return reader.Work(*sink, stop);
  });
}

}  // namespace howdah::backup
