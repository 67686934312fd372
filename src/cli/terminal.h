// What a person sees: results on stdout, progress and errors on stderr. On a terminal, progress may
// use colour and rewrite its last line; elsewhere it is plain lines. NO_COLOR is honoured.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/failure.h"
#include "system/clock.h"

namespace howdah::cli {

enum class Colour { kNone, kGreen, kRed, kYellow, kFaint };

class Terminal {
 public:
  // The clock outlives the terminal; elapsed time counts from here.
  explicit Terminal(const system::Clock& clock);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // One whole text on stdout, a newline added where it has none.
  void Result(std::string_view text);
  // A finished step on stderr: "  1.2s  creating change set".
  void Step(std::string_view text, Colour colour = Colour::kNone);
  // What is going on right now; on a terminal it stands on the last line until the next call,
  // elsewhere it is not shown.
  void Now(std::string_view text);
  // A line on stderr without a time.
  void Note(std::string_view text);
  void Error(const Failure& failure);

  // Whether a person watches stderr.
  bool interactive() const { return interactive_; }

  // The text in a colour, where stderr is a terminal and colours are wanted.
  std::string Paint(std::string_view text, Colour colour) const;

 private:
  void ClearNow();
  std::string Elapsed() const;

  const system::Clock& clock_;
  MonotonicTime begun_;
  bool interactive_;
  bool colours_;
  bool now_shown_ = false;
};

// Rows as columns of equal width, two blanks between; no blanks at the ends of lines.
std::string Columns(const std::vector<std::vector<std::string>>& rows,
                    std::string_view indent = "");

// The lines of a Failure as they are printed, without colour.
std::string DescribeFailure(const Failure& failure);

// The text as one word of a POSIX shell.
std::string ShellQuote(std::string_view text);

}  // namespace howdah::cli
