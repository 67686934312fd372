// What an S3 server says in XML: a page of a listing, an error. A small reader of its own, because
// a server is not to be trusted further than its word: no DTD, no entities but XML's five and
// character numbers, nothing nested deeper than what S3 says. Private to the room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "repository/repository.h"

namespace howdah::repository {

struct ListingPage {
  std::vector<ObjectInfo> objects;
  std::vector<std::string> common_prefixes;
  std::string next;  // the token of the next page; "" where this is the last
};
// Of ListObjectsV2. kCorrupt where it is none.
Result<ListingPage> ParseListing(std::string_view document);

struct S3Fault {
  std::string code;  // "NoSuchKey"; "" where the body does not say
  std::string message;
};
S3Fault ParseFault(std::string_view document);

}  // namespace howdah::repository
