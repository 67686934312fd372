// Text scripts: a template, and what it comes to. A case is
//   ==== name [Parameter=value]…
//   the template
//   ----
//   what is expected: the template's meaning, or "error: …"
// HOWDAH_BLESS=1 rewrites the expectations.
#include "services/cloudformation/template/template.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "services/cloudformation/template/conditions.h"
#include "services/cloudformation/template/dynamic_reference.h"
#include "services/cloudformation/template/evaluate.h"
#include "services/cloudformation/template/properties.h"
#include "services/cloudformation/template/yaml.h"

namespace howdah::cfn {
namespace {

const Surroundings kAround = {"us-west-2", "123456789012", "s", "arn:s"};

Result<std::string> FakeImport(const std::string& name) {
  return "imported-" + name;
}

Scope FakeScope(const Template& made, ParameterValues parameters) {
  return {.made = made,
          .parameters = std::move(parameters),
          .region = "us-west-2",
          .account_id = "123456789012",
          .stack_name = "s",
          .stack_id = "arn:s",
          .ref = [](const std::string& id) -> Result<std::string> { return "id-" + id; },
          .attribute = [](const std::string& id, const std::string& name) -> Result<json::value> {
            return json::value(json::string(id + "/" + name));
          },
          .zones = [](const std::string& region) -> Result<std::vector<std::string>> {
            return std::vector<std::string>{region + "a", region + "b", region + "c"};
          },
          .import = FakeImport};
}

Result<std::string> Describe(const std::string& text, const ParameterValues& given) {
  TRY_ASSIGN(const Template declared, ParseTemplate(text));
  TRY_ASSIGN(const ParameterValues values, ResolveParameters(declared, given));
  TRY_ASSIGN(const Template made, MakeDefinite(declared, values, kAround));
  const Scope scope = FakeScope(made, values);
  std::string out;
  for (const auto& [name, value] : values) out += fmt::format("parameter {} = {}\n", name, value);
  for (const Resource& resource : made.resources) {
    TRY_ASSIGN(const json::object evaluated, EvaluateProperties(resource, scope));
    TRY_ASSIGN(const json::object typed,
               TypedProperties(*FindResourceType(resource.type), evaluated));
    out += fmt::format("resource {} {} after [{}]{}\n  {}\n", resource.logical_id, resource.type,
                       fmt::join(resource.depends_on, " "),
                       resource.deletion_policy == DeletionPolicy::kDelete     ? ""
                       : resource.deletion_policy == DeletionPolicy::kSnapshot ? " snapshot"
                                                                               : " retained",
                       json::serialize(typed));
  }
  for (const Output& output : made.outputs) {
    TRY_ASSIGN(const std::string value, EvaluateText(output.value, scope));
    std::string exported;
    if (output.export_name) {
      TRY_ASSIGN(exported, EvaluateText(*output.export_name, scope));
      exported = " exported as " + exported;
    }
    out += fmt::format("output {} = {}{}\n", output.name, value, exported);
  }
  return out;
}

struct Case {
  std::string header, input, expected;
  std::string name;
  ParameterValues given;
};

std::vector<Case> ReadCases(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Case> cases;
  bool expected = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("==== ")) {
      Case& made = cases.emplace_back();
      made.header = line;
      expected = false;
      std::istringstream words(line.substr(5));
      words >> made.name;
      for (std::string word; words >> word;) {
        const std::size_t equals = word.find('=');
        made.given[word.substr(0, equals)] = word.substr(equals + 1);
      }
    } else if (line == "----") {
      expected = true;
    } else if (!cases.empty()) {
      (expected ? cases.back().expected : cases.back().input) += line + "\n";
    }
  }
  return cases;
}

std::vector<std::filesystem::path> Scripts() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(HOWDAH_TESTDATA)) {
    if (entry.path().extension() == ".txt") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

TEST(TemplateScripts, MeanWhatTheySay) {
  const bool bless = std::getenv("HOWDAH_BLESS") != nullptr;
  for (const auto& path : Scripts()) {
    std::string blessed;
    std::vector<Case> cases = ReadCases(path);
    ASSERT_FALSE(cases.empty()) << path;
    for (const Case& one : cases) {
      const Result<std::string> result = Describe(one.input, one.given);
      const std::string actual = result ? *result : "error: " + result.error().what() + "\n";
      if (!bless) EXPECT_EQ(actual, one.expected) << path << " " << one.name;
      blessed += fmt::format("{}\n{}----\n{}", one.header, one.input, actual);
    }
    if (bless) std::ofstream(path) << blessed;
  }
}

TEST(Yaml, RefusesWhatCouldSurprise) {
  const Source source("t.yaml");
  EXPECT_EQ(ParseYaml("a: &x 1\nb: *x\n", source).error().what(),
            "t.yaml:1:4: YAML anchors are not supported in templates");
  EXPECT_EQ(ParseYaml("a: *x\n", source).error().what(),
            "t.yaml:1:4: YAML aliases are not supported in templates");
  EXPECT_EQ(ParseYaml("a: 1\na: 2\n", source).error().what(),
            "t.yaml:2:1: the key a is there twice");
  EXPECT_EQ(ParseYaml("", source).error().what(), "t.yaml: it is empty");
  EXPECT_FALSE(ParseYaml("a: 1\n---\nb: 1\n", source));
  EXPECT_FALSE(ParseYaml(std::string(200, '['), source));
  EXPECT_FALSE(ParseYaml(std::string(100, '[') + std::string(100, ']'), source));
  EXPECT_FALSE(ParseYaml(std::string(kMaxTemplateBytes + 1, ' '), source));
}

TEST(Examples, AreRightTemplates) {
  std::ifstream file(HOWDAH_EXAMPLES "/prod-e/stack.yaml");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto meaning = Describe(text, {});
  ASSERT_TRUE(meaning) << meaning.error().what();
  EXPECT_NE(meaning->find("\"MultiAZ\":true"), std::string::npos);
  EXPECT_NE(meaning->find("\"EngineVersion\":\"14.17\""), std::string::npos);
}

TEST(DynamicReference, FindsTheParts) {
  const auto reference = ParseSecretReference("prod-e/db:SecretString:password:AWSCURRENT");
  ASSERT_TRUE(reference);
  EXPECT_EQ(reference->secret_id, "prod-e/db");
  EXPECT_EQ(reference->json_key, "password");
  EXPECT_EQ(reference->version_stage, "AWSCURRENT");
  const auto arn = ParseSecretReference(
      "arn:aws:secretsmanager:us-west-2:123456789012:secret:prod-e/"
      "db-AbCdEf:SecretString:username");
  ASSERT_TRUE(arn);
  EXPECT_EQ(arn->secret_id,
            "arn:aws:secretsmanager:us-west-2:123456789012:secret:prod-e/db-AbCdEf");
  EXPECT_EQ(arn->json_key, "username");
  EXPECT_FALSE(ParseSecretReference("arn:aws:x"));
  EXPECT_FALSE(ParseSecretReference("s:Binary:k"));
}

TEST(DynamicReference, ErrorsDoNotRepeatTheSecret) {
  const auto read = [](const SecretReference&) -> Result<std::string> { return "hunter2{"; };
  const json::value value = json::string("{{resolve:secretsmanager:s:SecretString:password}}");
  const auto result = ResolveDynamicReferences(value, read);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what().find("hunter2"), std::string::npos);
}

TEST(DynamicReference, IsReplacedWithinATextAndAList) {
  const auto read = [](const SecretReference&) -> Result<std::string> {
    return R"({"password":"p","port":5432})";
  };
  const json::value value = json::array{
      "a{{resolve:secretsmanager:s:SecretString:password}}b{{resolve:secretsmanager:s::port}}"};
  const auto result = ResolveDynamicReferences(value, read);
  ASSERT_TRUE(result) << result.error().what();
  EXPECT_EQ(json::serialize(*result), R"(["apb5432"])");
}

}  // namespace
}  // namespace howdah::cfn
