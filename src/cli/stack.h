// The pure parts of `up`: names, and errors of templates.
#pragma once

#include <string>

#include "cli/failure.h"

namespace howdah::cli {

// The stack's name where none was given: the template's file name without its ending, or its
// directory's name where the file is just "stack" or "template"; only letters, digits and hyphens.
std::string DefaultStackName(const std::string& template_path);

// What the service says of a template, "template:12:7: unknown property", as a Failure whose place
// is in the caller's file.
Failure TemplateFailure(const std::string& template_path, std::string what,
                        const std::string& message);

}  // namespace howdah::cli
