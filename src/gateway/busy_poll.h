// How long a relay looks for the next message before it goes to sleep. A message that finds its
// reader asleep pays for waking it, on a virtual machine more than the message itself; a reader
// that looks all the time takes a processor from others. So it looks only while one session alone
// goes to and fro, and only as long as its messages have been coming quickly: with several sessions
// the processors have better to do. Pure: told of waits, answers with a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace howdah::gateway {

class BusyPoll {
 public:
  // The longest look: a little more than a short statement takes.
  static constexpr std::chrono::microseconds kWindow{150};

  // How long to look before sleeping. Zero: one look, after others had the processor.
  std::chrono::microseconds Window() const;
  // What a wait came to: how long it was, and whose its events were. nullopt: of more than one
  // session, or of none.
  void Note(std::chrono::nanoseconds waited, std::optional<std::uint64_t> session);

 private:
  // Rises by one with each quick wait for the same session, falls faster with a slow one.
  int score_ = 0;
  std::optional<std::uint64_t> last_;
};

}  // namespace howdah::gateway
