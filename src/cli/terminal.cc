// See terminal.h. Writes go through stdio: stdout is flushed before stderr says more, so that both
// streams in one log read in order.
#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace howdah::cli {
namespace {

bool ColoursWanted() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this program sets the environment
  const char* no_color = std::getenv("NO_COLOR");
  return no_color == nullptr || *no_color == '\0';
}

std::string_view ColourCode(Colour colour) {
  switch (colour) {
    case Colour::kGreen:
      return "\x1b[32m";
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kFaint:
      return "\x1b[2m";
    case Colour::kNone:
      return "";
  }
  return "";
}

bool IsPlainWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("-_./:=@%+,").contains(static_cast<char>(c));
  });
}

// Characters, not bytes: the names of stacks may hold UTF-8.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

}  // namespace

Terminal::Terminal(const system::Clock& clock)
    : clock_(clock),
      begun_(clock.Monotonic()),
      interactive_(isatty(STDERR_FILENO) == 1),
      colours_(interactive_ && ColoursWanted()) {}

Terminal::~Terminal() {
  ClearNow();
}

void Terminal::Result(std::string_view text) {
  ClearNow();
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (!text.ends_with('\n')) std::fputc('\n', stdout);
  std::fflush(stdout);
}

void Terminal::Step(std::string_view text, Colour colour) {
  ClearNow();
  fmt::print(stderr, "{}  {}\n", Elapsed(), Paint(text, colour));
}

void Terminal::Now(std::string_view text) {
  if (!interactive_) return;
  // Cut by bytes where it is long: a status line that wraps cannot be rewritten.
  constexpr std::size_t kWidest = 70;
  fmt::print(stderr, "\r\x1b[K{}  {}", Elapsed(), Paint(text.substr(0, kWidest), Colour::kFaint));
  std::fflush(stderr);
  now_shown_ = true;
}

void Terminal::Note(std::string_view text) {
  ClearNow();
  fmt::print(stderr, "{}\n", text);
}

void Terminal::Error(const Failure& failure) {
  ClearNow();
  std::fflush(stdout);
  const std::string text = DescribeFailure(failure);
  constexpr std::string_view kMark = "error:";
  fmt::print(stderr, "{}{}", Paint(kMark, Colour::kRed), text.substr(kMark.size()));
}

std::string Terminal::Paint(std::string_view text, Colour colour) const {
  if (!colours_ || colour == Colour::kNone) return std::string(text);
  return fmt::format("{}{}\x1b[0m", ColourCode(colour), text);
}

void Terminal::ClearNow() {
  if (!now_shown_) return;
  fmt::print(stderr, "\r\x1b[K");
  now_shown_ = false;
}

std::string Terminal::Elapsed() const {
  const auto elapsed = std::chrono::duration<double>(clock_.Monotonic() - begun_);
  return fmt::format("{:7.1f}s", elapsed.count());
}

std::string Columns(const std::vector<std::vector<std::string>>& rows, std::string_view indent) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line(indent);
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      line.append(widths[i] - Width(row[i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string DescribeFailure(const Failure& failure) {
  std::string text = fmt::format("error: {}\n", failure.what);
  if (!failure.where.empty()) text += fmt::format("  where: {}\n", failure.where);
  if (!failure.why.empty()) text += fmt::format("  why:   {}\n", failure.why);
  if (!failure.help.empty()) text += fmt::format("  help:  {}\n", failure.help);
  return text;
}

std::string ShellQuote(std::string_view text) {
  if (IsPlainWord(text)) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

}  // namespace howdah::cli
