// The Parameters section and the values for it.
#include "services/cloudformation/template/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <regex>

namespace howdah::cfn {

namespace {

constexpr std::size_t kMaxParameters = 200;
constexpr std::size_t kMaxValueBytes = 4096;
// A regular expression may take long over a long text, so both have a bound.
constexpr std::size_t kMaxPatternBytes = 512;
constexpr std::size_t kMaxMatchedBytes = 1024;

bool IsKnownType(std::string_view type) {
  if (type == "String" || type == "Number" || type == "CommaDelimitedList") return true;
  if (type == "List<Number>" || type == "List<String>") return true;
  if (type.starts_with("List<") && type.ends_with(">")) type = type.substr(5, type.size() - 6);
  static constexpr std::string_view kAwsTypes[] = {
      "AWS::EC2::AvailabilityZone::Name",
      "AWS::EC2::Image::Id",
      "AWS::EC2::Instance::Id",
      "AWS::EC2::KeyPair::KeyName",
      "AWS::EC2::SecurityGroup::GroupName",
      "AWS::EC2::SecurityGroup::Id",
      "AWS::EC2::Subnet::Id",
      "AWS::EC2::VPC::Id",
      "AWS::EC2::Volume::Id",
      "AWS::Route53::HostedZone::Id",
  };
  return std::ranges::find(kAwsTypes, type) != std::end(kAwsTypes);
}

bool ReadNumber(std::string_view text, double& value) {
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size();
}

Result<std::string> Text(const Entry& entry, const Source& source) {
  if (!entry.value.IsScalar()) {
    return source.Refuse(entry.value.mark, fmt::format("{} must be a string", entry.key));
  }
  return entry.value.text;
}

Result<std::int64_t> Length(const Entry& entry, const Source& source) {
  TRY_ASSIGN(const std::string text, Text(entry, source));
  double number = 0;
  if (!ReadNumber(text, number) || number < 0 || number > 1e9 ||
      number != static_cast<double>(static_cast<std::int64_t>(number))) {
    return source.Refuse(entry.value.mark, fmt::format("{} must be a count", entry.key));
  }
  return static_cast<std::int64_t>(number);
}

Result<double> Bound(const Entry& entry, const Source& source) {
  TRY_ASSIGN(const std::string text, Text(entry, source));
  double number = 0;
  if (!ReadNumber(text, number)) {
    return source.Refuse(entry.value.mark, fmt::format("{} must be a number", entry.key));
  }
  return number;
}

Result<> ReadType(const Entry& entry, const Source& source, Parameter& parameter) {
  TRY_ASSIGN(parameter.type, Text(entry, source));
  if (IsKnownType(parameter.type)) return {};
  if (parameter.type.starts_with("AWS::SSM::Parameter::")) {
    return source.Refuse(entry.value.mark,
                         fmt::format("parameter type {} is not supported: Howdah has no Parameter "
                                     "Store",
                                     parameter.type));
  }
  return source.Refuse(entry.value.mark,
                       fmt::format("Unrecognized parameter type: {}", parameter.type));
}

Result<> ReadAllowedValues(const Entry& entry, const Source& source, Parameter& parameter) {
  if (!entry.value.IsList()) return source.Refuse(entry.value.mark, "AllowedValues must be a list");
  for (const Node& item : entry.value.items) {
    if (!item.IsScalar()) return source.Refuse(item.mark, "an allowed value must be a string");
    parameter.allowed_values.push_back(item.text);
  }
  return {};
}

Result<std::regex> Pattern(const std::string& text) {
  if (text.size() > kMaxPatternBytes) return Fail(Code::kInvalid, "the pattern is too long");
  try {
    return std::regex(text, std::regex::ECMAScript);
  } catch (const std::regex_error&) {
    return Fail(Code::kInvalid, "the pattern is no regular expression");
  }
}

Result<> ReadPattern(const Entry& entry, const Source& source, Parameter& parameter) {
  TRY_ASSIGN(parameter.allowed_pattern, Text(entry, source));
  if (auto pattern = Pattern(parameter.allowed_pattern); !pattern) {
    return source.Refuse(entry.value.mark, "AllowedPattern: " + pattern.error().what());
  }
  return {};
}

Result<> ReadNoEcho(const Entry& entry, const Source& source, Parameter& parameter) {
  TRY_ASSIGN(const std::string text, Text(entry, source));
  parameter.no_echo = text == "true" || text == "True" || text == "TRUE";
  if (parameter.no_echo || text == "false" || text == "False" || text == "FALSE") return {};
  return source.Refuse(entry.value.mark, "NoEcho must be true or false");
}

Result<> ReadMember(const Entry& entry, const Source& source, Parameter& parameter) {
  const std::string& key = entry.key;
  if (key == "Type") return ReadType(entry, source, parameter);
  if (key == "AllowedValues") return ReadAllowedValues(entry, source, parameter);
  if (key == "AllowedPattern") return ReadPattern(entry, source, parameter);
  if (key == "NoEcho") return ReadNoEcho(entry, source, parameter);
  if (key == "Default") {
    TRY_ASSIGN(parameter.default_value, Text(entry, source));
  } else if (key == "Description") {
    TRY_ASSIGN(parameter.description, Text(entry, source));
  } else if (key == "ConstraintDescription") {
    TRY_ASSIGN(parameter.constraint_description, Text(entry, source));
  } else if (key == "MinLength") {
    TRY_ASSIGN(parameter.min_length, Length(entry, source));
  } else if (key == "MaxLength") {
    TRY_ASSIGN(parameter.max_length, Length(entry, source));
  } else if (key == "MinValue") {
    TRY_ASSIGN(parameter.min_value, Bound(entry, source));
  } else if (key == "MaxValue") {
    TRY_ASSIGN(parameter.max_value, Bound(entry, source));
  } else {
    return source.Refuse(entry.mark, fmt::format("Invalid template parameter property '{}'", key));
  }
  return {};
}

Result<Parameter> ReadParameter(const Entry& entry, const Source& source) {
  if (!IsLogicalName(entry.key)) {
    return source.Refuse(entry.mark,
                         fmt::format("Parameter name {} is non alphanumeric.", entry.key));
  }
  if (!entry.value.IsMap()) return source.Refuse(entry.mark, "a parameter must be a map");
  Parameter parameter;
  parameter.name = entry.key;
  for (const Entry& member : entry.value.entries) TRY(ReadMember(member, source, parameter));
  if (parameter.type.empty()) {
    return source.Refuse(
        entry.mark,
        fmt::format("Every Parameters object must contain a Type member: {}", entry.key));
  }
  return parameter;
}

std::unexpected<Error> Broken(const Parameter& parameter, std::string_view rule) {
  if (!parameter.constraint_description.empty()) {
    return Fail(Code::kInvalid, fmt::format("Parameter {} failed to satisfy constraint: {}",
                                            parameter.name, parameter.constraint_description));
  }
  return Fail(Code::kInvalid, fmt::format("Parameter '{}' must {}", parameter.name, rule));
}

Result<> CheckNumber(const Parameter& parameter, std::string_view value) {
  double number = 0;
  if (!ReadNumber(value, number)) {
    return Fail(Code::kInvalid, fmt::format("Parameter '{}' must be a number.", parameter.name));
  }
  if (parameter.min_value && number < *parameter.min_value) {
    return Broken(parameter, fmt::format("be a number not less than {}", *parameter.min_value));
  }
  if (parameter.max_value && number > *parameter.max_value) {
    return Broken(parameter, fmt::format("be a number not greater than {}", *parameter.max_value));
  }
  return {};
}

Result<> CheckPattern(const Parameter& parameter, const std::string& value) {
  if (parameter.allowed_pattern.empty()) return {};
  if (value.size() > kMaxMatchedBytes) return Broken(parameter, "contain at most 1024 characters");
  TRY_ASSIGN(const std::regex pattern, Pattern(parameter.allowed_pattern));
  bool matches = false;
  try {
    matches = std::regex_match(value, pattern);
  } catch (const std::regex_error&) {
    matches = false;  // too complex to decide is not a match
  }
  if (matches) return {};
  return Broken(parameter, fmt::format("match pattern {}", parameter.allowed_pattern));
}

Result<> CheckOne(const Parameter& parameter, const std::string& value) {
  if (!parameter.allowed_values.empty() &&
      std::ranges::find(parameter.allowed_values, value) == parameter.allowed_values.end()) {
    return Broken(parameter, fmt::format("be one of AllowedValues"));
  }
  return parameter.IsNumber() ? CheckNumber(parameter, value) : CheckPattern(parameter, value);
}

Result<> CheckParameterValue(const Parameter& parameter, const std::string& value) {
  const auto length = static_cast<std::int64_t>(value.size());
  if (value.size() > kMaxValueBytes) return Broken(parameter, "contain at most 4096 characters");
  if (parameter.min_length && length < *parameter.min_length) {
    return Broken(parameter, fmt::format("contain at least {} characters", *parameter.min_length));
  }
  if (parameter.max_length && length > *parameter.max_length) {
    return Broken(parameter, fmt::format("contain at most {} characters", *parameter.max_length));
  }
  if (!parameter.IsList()) return CheckOne(parameter, value);
  for (const std::string& item : SplitList(value)) TRY(CheckOne(parameter, item));
  return {};
}

}  // namespace

bool Parameter::IsList() const {
  return type == "CommaDelimitedList" || type.starts_with("List<");
}

bool Parameter::IsNumber() const {
  return type == "Number" || type == "List<Number>";
}

std::string_view Parameter::Named() const {
  std::string_view named = type;
  if (named.starts_with("List<")) named = named.substr(5, named.size() - 6);
  return named.starts_with("AWS::") ? named : std::string_view();
}

Result<std::vector<Parameter>> ReadParameters(const Node& section, const Source& source) {
  if (!section.IsMap()) return source.Refuse(section.mark, "Parameters must be a map");
  TRY(CheckCount(section, "parameters", kMaxParameters, source));
  std::vector<Parameter> parameters;
  for (const Entry& entry : section.entries) {
    TRY_ASSIGN(Parameter parameter, ReadParameter(entry, source));
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::vector<std::string> SplitList(std::string_view value) {
  std::vector<std::string> items;
  if (value.empty()) return items;
  for (;;) {
    const std::size_t comma = value.find(',');
    std::string_view item = value.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    items.emplace_back(item);
    if (comma == std::string_view::npos) return items;
    value.remove_prefix(comma + 1);
  }
}

Result<ParameterValues> ResolveParameters(const Template& made, const ParameterValues& given) {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : given) {
    if (made.FindParameter(name) == nullptr) unknown.push_back(name);
  }
  if (!unknown.empty()) {
    return Fail(Code::kInvalid, fmt::format("Parameters: [{}] do not exist in the template",
                                            fmt::join(unknown, ", ")));
  }
  ParameterValues values;
  std::vector<std::string> missing;
  for (const Parameter& parameter : made.parameters) {
    if (const auto found = given.find(parameter.name); found != given.end()) {
      values[parameter.name] = found->second;
    } else if (parameter.default_value) {
      values[parameter.name] = *parameter.default_value;
    } else {
      missing.push_back(parameter.name);
    }
  }
  if (!missing.empty()) {
    return Fail(Code::kInvalid,
                fmt::format("Parameters: [{}] must have values", fmt::join(missing, ", ")));
  }
  for (const Parameter& parameter : made.parameters) {
    TRY(CheckParameterValue(parameter, values[parameter.name]));
  }
  return values;
}

}  // namespace howdah::cfn
