// What each intrinsic function wants, in AWS's words where AWS has some: for messages.
#pragma once

#include <string_view>

namespace howdah::cfn {

inline constexpr std::string_view kJoinShape =
    "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
    "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be "
    "joined";
inline constexpr std::string_view kSplitShape =
    "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be "
    "split or a function that returns a string to be split";
inline constexpr std::string_view kSelectShape =
    "Fn::Select requires a list argument with two elements: an integer index and a list";
inline constexpr std::string_view kGetAttShape =
    "every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
    "attribute";
inline constexpr std::string_view kSubShape =
    "one or more Fn::Sub intrinsic functions don't specify expected arguments; specify a string as "
    "first argument, and an optional second argument to specify a mapping of values to replace in "
    "the string";
inline constexpr std::string_view kFindInMapShape =
    "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute "
    "for return value";
inline constexpr std::string_view kIfShape =
    "Fn::If requires a list argument with three elements: the name of a condition, the value if it "
    "is true, the value if it is false";
inline constexpr std::string_view kCidrShape =
    "every Fn::Cidr object requires an address block, a count from 1 to 256, and optionally the "
    "number of bits of each subnet";
inline constexpr std::string_view kImportShape =
    "the attribute in Fn::ImportValue must not depend on any resources, imported values, or "
    "Fn::GetAZs";

inline constexpr std::string_view kServed =
    "[Fn::Base64, Fn::GetAtt, Fn::GetAZs, Fn::ImportValue, Fn::Join, Fn::Split, Fn::FindInMap, "
    "Fn::Select, Ref, Fn::Equals, Fn::If, Fn::Not, Condition, Fn::And, Fn::Or, Fn::Sub, Fn::Cidr]";

}  // namespace howdah::cfn
