// Parts of a JSON text, found without building a tree: the members of an object, the elements of an
// array, a string or a number as a value.
//
// Values are views of their text, byte for byte. Nothing here judges: whether a text is JSON says
// wire/json. A text that is not gives some parts or none, and never reads beyond itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kvs {

/// Walks over the members of an object in their order.
class JsonMembers {
 public:
  struct Member {
    std::string name;        // unescaped
    std::string_view value;  // without the blanks around it
    std::string_view raw;    // with them: all that stands between the colon and what ends it
  };

  explicit JsonMembers(std::string_view object);

  /// Nothing at the end, or where the text is no object.
  std::optional<Member> next();

  /// After the last member: true if the object is closed, and nothing follows it.
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  void take_end();

  std::string_view rest_;  // from the next member on; empty: no more
  bool closed_ = false;
};

/// Takes a text apart from its front, looking at each byte once.
class JsonWalk {
 public:
  explicit JsonWalk(std::string_view text) : rest_(text) {}

  /// Takes `c`, after blanks. False, and nothing but blanks was taken, if something else is there.
  bool take(char c);

  /// Takes a value of any kind, after blanks. Nothing if there is no whole one.
  std::optional<std::string_view> take_value();

 private:
  std::string_view rest_;
};

/// Walks over the elements of an array in their order.
class JsonElements {
 public:
  explicit JsonElements(std::string_view array);

  /// Nothing at the end, or where the text is no array.
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
};

/// The value of the first member of that name.
[[nodiscard]] std::optional<std::string_view> json_member(std::string_view object,
                                                          std::string_view name);

/// Appends the string that `text` stands for. False if it is none; part of it may be appended then.
[[nodiscard]] bool append_unquoted(std::string_view text, std::string& out);

/// The string that `text` stands for; nothing if it is none. Lone surrogates become U+FFFD.
[[nodiscard]] std::optional<std::string> json_string(std::string_view text);

/// The whole number that `text` stands for; nothing if it is none of 64 bits.
[[nodiscard]] std::optional<std::int64_t> json_integer(std::string_view text);

/// json_member and json_string in one: the string under `name`, or nothing.
[[nodiscard]] std::optional<std::string> json_string_member(std::string_view object,
                                                            std::string_view name);

/// Likewise for a whole number.
[[nodiscard]] std::optional<std::int64_t> json_integer_member(std::string_view object,
                                                              std::string_view name);

}  // namespace kvs
