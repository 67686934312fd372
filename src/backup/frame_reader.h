// Runs through the frames of a plan by several threads: each is read and opened once.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "backup/frame_plan.h"
#include "backup/job.h"
#include "backup/manifest.h"
#include "backup/objects.h"

namespace howdah::backup {

struct FrameSource {
  const Manifest& manifest;
  const FileTable& table;
  const FramePlan& plan;
};

// What is done with the pieces; one for each thread.
class PieceSink {
 public:
  virtual ~PieceSink() = default;
  virtual Result<> OnPiece(const FramePiece& piece, std::string_view bytes) = 0;
  // A frame, or several neighbours, that cannot be read: an error ends it all.
  virtual Result<> OnDamage(const Error& error) { return Fail(error); }
};

// `make`: a sink for thread i, called on that thread. The first error ends all; kCorrupt names the
// object.
Result<> ReadFrames(const Needs& needs, const FrameSource& source, unsigned threads, Job& job,
                    const std::function<std::unique_ptr<PieceSink>()>& make);

}  // namespace howdah::backup
