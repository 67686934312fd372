// A recursive-descent evaluator. Grammar (spaces between tokens do not matter):
//   value  = sum ; sum = term { ("+"|"-") term } ; term = atom { ("*"|"/") atom }
//   atom   = number | variable | "{" sum "}" | "(" sum ")" | name "(" argument { "," argument } ")"
// Numbers are kept as double, as "log" needs it, and products of memory and small factors are far
// below 2^53; the result is cut to a whole number.
#include "postgres/formula.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <numeric>
#include <vector>

namespace howdah::postgres {
namespace {

constexpr int kMaxDepth = 32;

class Evaluator {
 public:
  Evaluator(std::string_view text, const FormulaVariables& variables)
      : text_(text), variables_(variables) {}

  Result<double> Whole() {
    TRY_ASSIGN(const double value, Sum());
    if (Peek() != '\0') return Bad("unexpected character");
    return value;
  }

 private:
  std::unexpected<Error> Bad(std::string_view why) const {
    return Fail(Code::kInvalid, fmt::format("formula '{}': {} at {}", text_, why, at_ + 1));
  }

  char Peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool Take(char c) {
    if (Peek() != c) return false;
    ++at_;
    return true;
  }

  Result<double> Sum() {
    if (++depth_ > kMaxDepth) return Bad("nested too deeply");
    TRY_ASSIGN(double value, Term());
    for (;;) {
      if (Take('+')) {
        TRY_ASSIGN(const double other, Term());
        value += other;
      } else if (Take('-')) {
        TRY_ASSIGN(const double other, Term());
        value -= other;
      } else {
        --depth_;
        return value;
      }
    }
  }

  Result<double> Term() {
    TRY_ASSIGN(double value, Atom());
    for (;;) {
      if (Take('*')) {
        TRY_ASSIGN(const double other, Atom());
        value *= other;
      } else if (Take('/')) {
        TRY_ASSIGN(const double other, Atom());
        if (other == 0) return Bad("division by zero");
        value /= other;
      } else {
        return value;
      }
    }
  }

  Result<double> Atom() {
    for (const auto& [open, close] : {std::pair{'{', '}'}, std::pair{'(', ')'}}) {
      if (!Take(open)) continue;
      TRY_ASSIGN(const double value, Sum());
      if (!Take(close)) return Bad(fmt::format("'{}' expected", close));
      return value;
    }
    const char c = Peek();
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) return Number();
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) return Name();
    return Bad("a number, a variable or a function expected");
  }

  Result<double> Number() {
    double value = 0;
    std::size_t digits = 0;
    for (; at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0; ++at_) {
      value = value * 10 + (text_[at_] - '0');
      ++digits;
    }
    return digits <= 15 ? Result<double>(value) : Bad("number too long");
  }

  Result<double> Name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && std::isalnum(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    const std::string_view name = text_.substr(start, at_ - start);
    if (Peek() == '(') return Call(name);
    const auto found = variables_.find(name);
    if (found == variables_.end()) return Bad(fmt::format("unknown variable {} before", name));
    return static_cast<double>(found->second);
  }

  Result<double> Call(std::string_view name) {
    ++at_;  // the parenthesis
    std::vector<double> arguments;
    do {
      TRY_ASSIGN(const double value, Comparison());
      arguments.push_back(value);
    } while (Take(','));
    if (!Take(')')) return Bad("')' expected");
    return Apply(name, arguments);
  }

  // Only the condition of an IF has one; elsewhere this is a plain sum.
  Result<double> Comparison() {
    TRY_ASSIGN(const double left, Sum());
    const char c = Peek();
    if (c != '<' && c != '>' && c != '=') return left;
    ++at_;
    const bool or_equal = c != '=' && at_ < text_.size() && text_[at_] == '=';
    if (or_equal) ++at_;
    TRY_ASSIGN(const double right, Sum());
    if (c == '=' || (or_equal && left == right)) return left == right ? 1.0 : 0.0;
    return (c == '<' ? left < right : left > right) ? 1.0 : 0.0;
  }

  Result<double> Apply(std::string_view name, const std::vector<double>& arguments) const {
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (upper == "GREATEST") return *std::ranges::max_element(arguments);
    if (upper == "LEAST") return *std::ranges::min_element(arguments);
    if (upper == "SUM") return std::accumulate(arguments.begin(), arguments.end(), 0.0);
    if (upper == "IF" && arguments.size() == 3) return arguments[arguments[0] != 0 ? 1 : 2];
    if (upper == "LOG" && arguments.size() == 1) {
      if (arguments[0] <= 0) return Bad("log of a number that is not positive");
      return std::log2(arguments[0]);
    }
    return Bad(fmt::format("unknown function or wrong number of arguments: {}", name));
  }

  std::string_view text_;
  const FormulaVariables& variables_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

bool IsFormula(std::string_view value) {
  return value.find('{') != std::string_view::npos || value.starts_with("GREATEST(") ||
         value.starts_with("LEAST(") || value.starts_with("SUM(") || value.starts_with("IF(");
}

Result<std::int64_t> EvaluateFormula(std::string_view formula, const FormulaVariables& variables) {
  if (formula.size() > 1000) return Fail(Code::kInvalid, "formula longer than 1000 characters");
  TRY_ASSIGN(const double value, Evaluator(formula, variables).Whole());
  if (!std::isfinite(value) || std::abs(value) > 9e15) {
    return Fail(Code::kInvalid, fmt::format("formula '{}': the result is out of range", formula));
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace howdah::postgres
