#include "cli/stack.h"

#include <cctype>
#include <filesystem>
#include <regex>

namespace howdah::cli {

std::string DefaultStackName(const std::string& template_path) {
  const std::filesystem::path path(template_path);
  std::string stem = path.stem().string();
  if (stem == "stack" || stem == "template") {
    const auto directory = path.parent_path().filename().string();
    if (!directory.empty() && directory != ".") stem = directory;
  }
  std::string name;
  for (const char c : stem) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '-';
  }
  const auto letter = name.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  return letter == std::string::npos ? "stack" : name.substr(letter);
}

Failure TemplateFailure(const std::string& template_path, std::string what,
                        const std::string& message) {
  static const std::regex kPlace("template:([0-9]+):([0-9]+):? *");
  Failure failure{.what = std::move(what), .where = template_path, .why = message, .help = ""};
  std::smatch match;
  if (std::regex_search(message, match, kPlace)) {
    failure.where = template_path + ":" + match[1].str() + ":" + match[2].str();
    failure.why = match.prefix().str() + match.suffix().str();
  }
  return failure;
}

}  // namespace howdah::cli
