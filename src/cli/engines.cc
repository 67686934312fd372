// `howdah engine list` and `install`: they look at and change the home directly, so that an engine
// can be had before the first daemon runs.
#include <fmt/format.h>

#include "base/json.h"
#include "cli/commands.h"

namespace howdah::cli {

Outcome EngineList(const Context& context) {
  if (!context.programs.list_engines) return Failed(Failure{.what = "no engine catalogue"});
  const auto engines = context.programs.list_engines(context.home.path());
  if (!engines) return Failed("cannot look for engines", engines.error());
  if (context.json) {
    json::array list;
    for (const auto& engine : *engines) {
      list.push_back(json::object{{"Version", engine.version},
                                  {"Path", engine.path},
                                  {"Source", engine.source},
                                  {"EndOfLife", engine.end_of_life}});
    }
    context.terminal.Result(json::serialize(json::object{{"Engines", std::move(list)}}));
    return kExitDone;
  }
  if (engines->empty()) {
    context.terminal.Note(
        fmt::format("no engines; install one: {} engine install 14.17", context.self));
    return kExitDone;
  }
  std::vector<std::vector<std::string>> rows = {{"VERSION", "SOURCE", "SUPPORT", "PATH"}};
  for (const auto& engine : *engines) {
    rows.push_back({engine.version, engine.source,
                    engine.end_of_life ? "past end of life" : "supported", engine.path});
  }
  context.terminal.Result(Columns(rows));
  return kExitDone;
}

Outcome EngineInstall(const Context& context, const std::string& version) {
  if (!context.programs.install_engine)
    return Failed(Failure{.what = "engines cannot be installed"});
  context.terminal.Now("installing engine " + version);
  const auto directory = context.programs.install_engine(version, context.home.path());
  if (!directory) {
    return Failed(fmt::format("engine {} was not installed", version), directory.error(),
                  "npm must be in PATH and reach its registry; see docs/dependencies.md");
  }
  context.terminal.Step(fmt::format("engine {} is installed", version), Colour::kGreen);
  context.terminal.Result(
      context.json ? json::serialize(json::object{{"Version", version}, {"Path", *directory}})
                   : *directory);
  return kExitDone;
}

}  // namespace howdah::cli
