// kvs_flow_test [--rewrite] FILE...: holds conversations with a node as transcripts tell them.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "flows/conversation.h"
#include "flows/transcript.h"

namespace kvs {
namespace {

enum class Task { compare, rewrite };

/// True if the node says what the transcript tells, or it was rewritten.
bool hold(const std::string& path, Task task) {
  std::ifstream file(path, std::ios::binary);
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  if (!file || expected.empty()) {
    fmt::print(stderr, "{}: cannot be read\n", path);
    return false;
  }
  Conversation conversation;
  const std::string actual =
      retold(expected, [&](std::string_view command) { return conversation.answer(command); });
  if (task == Task::rewrite) {
    std::ofstream(path, std::ios::binary) << actual;
    return true;
  }
  const std::string difference = first_difference(expected, actual);
  if (!difference.empty()) {
    fmt::print(stderr, "{}: {}", path, difference);
  }
  return difference.empty();
}

}  // namespace
}  // namespace kvs

int main(int argc, char** argv) {
  const std::span arguments(argv, static_cast<std::size_t>(argc));
  auto task = kvs::Task::compare;
  bool well = argc > 1;
  for (const std::string_view argument : arguments.subspan(1)) {
    if (argument == "--rewrite") {
      task = kvs::Task::rewrite;
    } else {
      well = kvs::hold(std::string(argument), task) && well;
    }
  }
  return well ? 0 : 1;
}
