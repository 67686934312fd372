// What is written is what is read; what is missing or wrong is dealt with as document.h says.
#include "base/document.h"

#include <gtest/gtest.h>

namespace howdah {
namespace {

enum class Colour { kRed, kGreen };
constexpr Words<Colour, 2> kColours = {{{Colour::kRed, "red"}, {Colour::kGreen, "green"}}};

struct Point {
  int x = 1;
  bool operator==(const Point&) const = default;
};

struct Shape {
  std::string name;
  std::uint64_t size = 0;
  bool filled = false;
  Colour colour = Colour::kRed;
  WallTime made{};
  NodeId node;
  std::vector<std::string> words;
  std::map<std::string, std::string> tags;
  Point centre;
  std::vector<Point> corners;
  bool operator==(const Shape&) const = default;
};

const DocumentCodec<Point>& PointCodec() {
  static const auto codec = DocumentCodec<Point>("point").With("x", &Point::x);
  return codec;
}

const DocumentCodec<Shape>& ShapeCodec() {
  static const auto codec = DocumentCodec<Shape>("shape")
                                .With("name", &Shape::name)
                                .With("size", &Shape::size)
                                .With("filled", &Shape::filled)
                                .With("colour", &Shape::colour, kColours)
                                .With("made", &Shape::made)
                                .With("node", &Shape::node)
                                .With("words", &Shape::words)
                                .With("tags", &Shape::tags)
                                .With("centre", &Shape::centre, PointCodec())
                                .With("corners", &Shape::corners, PointCodec());
  return codec;
}

std::string ErrorOf(std::string_view text) {
  const auto parsed = ShapeCodec().Parse(text);
  return parsed ? "" : parsed.error().what();
}

TEST(Document, SurvivesItsText) {
  const Shape shape{.name = "a \"b\"",
                    .size = UINT64_MAX,
                    .filled = true,
                    .colour = Colour::kGreen,
                    .made = FromMicros(1'700'000'000'123'456),
                    .node = NodeId("n-1"),
                    .words = {"x", ""},
                    .tags = {{"k", "v"}},
                    .centre = {7},
                    .corners = {{1}, {-2}}};
  EXPECT_EQ(*ShapeCodec().Parse(ShapeCodec().Format(shape)), shape);
}

TEST(Document, WhatIsAbsentKeepsItsDefault) {
  EXPECT_EQ(*ShapeCodec().Parse("{\"centre\":{},\"later\":1}"), Shape{});
}

TEST(Document, WhatIsWrongIsNamed) {
  EXPECT_EQ(ErrorOf("{\"name\":1}"), "shape: name: not a text");
  EXPECT_EQ(ErrorOf("{\"size\":-1}"), "shape: size: not a whole number of its range");
  EXPECT_EQ(ErrorOf("{\"colour\":\"blue\"}"), "shape: colour: unknown word 'blue'");
  EXPECT_EQ(ErrorOf("{\"corners\":[{\"x\":true}]}"),
            "shape: corners: point: x: not a whole number of its range");
  EXPECT_EQ(ErrorOf("[]"), "shape is not an object");
}

}  // namespace
}  // namespace howdah
