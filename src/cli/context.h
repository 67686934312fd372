// What every command is given: the programs and seams, the terminal, the home, and how to answer.
#pragma once

#include <string>

#include "cli/home.h"
#include "cli/main_face.h"
#include "cli/terminal.h"

namespace howdah::cli {

struct Context {
  const Programs& programs;
  Terminal& terminal;
  Environment environment;
  Home home;
  bool json = false;
  // This program as the caller may type it again in this shell: "build/howdah --home /srv/h".
  std::string self;
};

}  // namespace howdah::cli
