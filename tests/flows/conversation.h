// The words in which a transcript talks to a node.
//
//   put KEY JSON [CONDITION]   a client's write; CONDITION: if-absent, if-exists, if-match vN
//   del KEY [CONDITION]
//   close                      ends the open batch and shows it
//   commit                     the oldest batch is durable (ends the open one if no other is
//   closed) fail CODE                  it is not: disk_full, io_error … crash [MODE] the process
//   dies and starts again, perhaps in another mode clock N, clock +N, clock -N   sets or moves the
//   wall clock, in milliseconds damage KEY, unreadable KEY    what the disk does to a record store
//   everything committed list PATH [recursive] [limit=N] [after=NAME]   `/` is the root knows the
//   node's knowledge and clock
//
// Versions are named v1, v2 … and origins A, B … in the order in which they appear.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/node_driver.h"

namespace kvs {

class Conversation {
 public:
  Conversation();

  /// What the node has to say to `command`, in lines.
  std::string answer(std::string_view command);

 private:
  using Words = std::vector<std::string_view>;

  std::string write(const Words& words);
  std::string close();
  std::string commit();
  std::string fail(const Words& words);
  std::string crash(const Words& words);
  std::string clock(std::string_view time);
  std::string store() const;
  std::string list(const Words& words);
  std::string knows();

  Condition condition_of(const Words& words, std::size_t at) const;
  std::string show(const Effects& effects);
  std::string show(const WriteOutcome& outcome);
  std::string show(const std::vector<Reply>& replies);
  std::string show(const OriginKnowledge& known) const;
  const std::string& name_of(const Uuid& uuid);
  const std::string& name_of(Origin origin);

  NodeDriver driver_;
  std::map<Uuid, std::string> version_names_;
  std::map<Origin, std::string> origin_names_;
};

}  // namespace kvs
