// kvs-load: fills a node with numbered keys over HTTP, as fast as one thread of pipelined PUTs can.
//
// Every answer is checked: 200 and 201 count, 503 is sent again after a pause, anything else ends
// the program with exit code 1 and the answer on standard error. The last line on standard output
// is one JSON object with the figures. Key and value of a number are always the same, so a second
// program can tell what must be there.
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/prng.h"

namespace kvs {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kUsage =
    R"(usage: kvs-load [options] HOST:PORT
  --count N        keys to write (1000000)
  --start N        number of the first key (0)
  --size BYTES     size of each value, a JSON object or string (100)
  --pattern TEXT   key, with {} or {:08} for the number (users/{:08}/profile)
  --depth N        requests under way on a connection (64)
  --connections N  (4)
  --seconds N      give up after (600)
)";

struct Options {
  std::string host;
  std::string port;
  std::string pattern = "users/{:08}/profile";
  std::uint64_t count = 1'000'000;
  std::uint64_t start = 0;
  std::uint64_t size = 100;
  std::uint64_t depth = 64;
  std::uint64_t connections = 4;
  std::uint64_t seconds = 600;
};

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::uint64_t parse_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw Failure(fmt::format("not a whole number: {}", text));
  }
  return value;
}

void take_target(Options& options, std::string_view target) {
  const auto colon = target.rfind(':');
  if (colon == std::string_view::npos) {
    throw Failure(fmt::format("expected HOST:PORT, got {}", target));
  }
  std::string_view host = target.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  }
  options.host = host;
  options.port = target.substr(colon + 1);
}

Options parse_options(int argc, char** argv) {
  Options options;
  const std::vector<std::pair<const char*, std::uint64_t*>> numbers = {
      {"count", &options.count},
      {"start", &options.start},
      {"size", &options.size},
      {"depth", &options.depth},
      {"connections", &options.connections},
      {"seconds", &options.seconds}};
  std::vector<option> table;
  for (const auto& [name, place] : numbers) {
    table.push_back({.name = name, .has_arg = required_argument, .flag = nullptr, .val = 'n'});
  }
  table.push_back({.name = "pattern", .has_arg = required_argument, .flag = nullptr, .val = 'p'});
  table.push_back({});
  int index = 0;
  for (int found = 0; (found = getopt_long(argc, argv, "", table.data(), &index)) != -1;) {
    if (found == 'n') {
      *numbers[static_cast<std::size_t>(index)].second = parse_number(optarg);
    } else if (found == 'p') {
      options.pattern = optarg;
    } else {
      throw Failure("see the usage");
    }
  }
  if (optind + 1 != argc) {
    throw Failure("exactly one HOST:PORT is needed");
  }
  take_target(options, argv[optind]);
  if (options.depth == 0 || options.connections == 0) {
    throw Failure("--depth and --connections must be at least 1");
  }
  return options;
}

/// A JSON value of exactly `size` bytes (at least 2) that hardly compresses, the same for the same
/// number. From 48 bytes on an object with the number in it, below that a string.
std::string make_value(std::uint64_t number, std::size_t size) {
  const bool object = size >= 48;
  std::string value = object ? fmt::format(R"({{"id":{},"data":")", number) : std::string{"\""};
  const std::size_t end = std::max<std::size_t>(size, 2) - (object ? 2 : 1);
  Prng prng{number};
  while (value.size() < end) {
    value += fmt::format("{:016x}", prng.next());
  }
  value.resize(end);
  return value += object ? "\"}" : "\"";
}

/// Hands out the numbers to write, refused ones again.
class Work {
 public:
  explicit Work(const Options& options)
      : next_(options.start), end_(options.start + options.count) {}

  std::optional<std::uint64_t> take(Clock::time_point now) {
    if (now < resume_) {
      return std::nullopt;
    }
    if (!again_.empty()) {
      const std::uint64_t number = again_.front();
      again_.pop_front();
      return number;
    }
    return next_ < end_ ? std::optional{next_++} : std::nullopt;
  }

  void refused(std::uint64_t number, Clock::time_point now) {
    again_.push_back(number);
    ++refusals_;
    resume_ = now + std::chrono::milliseconds{50};
  }

  void written() { ++written_; }

  [[nodiscard]] std::uint64_t written_count() const { return written_; }

  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }

 private:
  std::uint64_t next_;
  std::uint64_t end_;
  std::uint64_t written_ = 0;
  std::uint64_t refusals_ = 0;
  std::deque<std::uint64_t> again_;
  Clock::time_point resume_;
};

int connect_to(const Options& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int problem = getaddrinfo(options.host.c_str(), options.port.c_str(), &hints, &list);
  if (problem != 0) {
    throw Failure(fmt::format("{}: {}", options.host, gai_strerror(problem)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner{list, &freeaddrinfo};
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    const int fd = socket(info->ai_family, info->ai_socktype | SOCK_CLOEXEC, info->ai_protocol);
    if (fd >= 0 && connect(fd, info->ai_addr, info->ai_addrlen) == 0) {
      const int yes = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
      return fd;
    }
    if (fd >= 0) {
      close(fd);
    }
  }
  throw Failure(
      fmt::format("cannot connect to {}:{}: {}", options.host, options.port, std::strerror(errno)));
}

struct Answer {
  std::size_t size = 0;
  int status = 0;
};

/// The first whole answer in `bytes`. PUT answers carry a Content-Length; one without has no body.
std::optional<Answer> find_answer(std::string_view bytes) {
  const auto head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view head = bytes.substr(0, head_end + 2);
  Answer answer{.size = head_end + 4};
  if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) {
    throw Failure(fmt::format("not an HTTP/1.1 answer: {}", head));
  }
  std::from_chars(head.data() + 9, head.data() + 12, answer.status);
  constexpr std::string_view kLength = "\r\ncontent-length:";
  const auto same = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b;
  };
  const auto found = std::ranges::search(head, kLength, same);
  if (!found.empty()) {
    auto begin = static_cast<std::size_t>(found.end() - head.begin());
    begin = std::min(head.find_first_not_of(' ', begin), head.size());
    std::size_t length = 0;
    std::from_chars(head.data() + begin, head.data() + head.size(), length);
    answer.size += length;
  }
  return answer.size <= bytes.size() ? std::optional{answer} : std::nullopt;
}

class Connection {
 public:
  explicit Connection(const Options& options) : options_(options), fd_(connect_to(options)) {}

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  ~Connection() { close(fd_); }

  /// Adds requests up to the depth; sends what the socket takes.
  void send_more(Work& work, Clock::time_point now) {
    while (sent_.size() < options_.depth && out_.size() < kOutMax) {
      const auto number = work.take(now);
      if (!number) {
        break;
      }
      append_request(*number);
      sent_.push_back(*number);
    }
    while (!out_.empty()) {
      const ssize_t count = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EAGAIN) {
        return;
      }
      if (count < 0) {
        throw Failure(fmt::format("send: {}", std::strerror(errno)));
      }
      out_.erase(0, static_cast<std::size_t>(count));
    }
  }

  /// Takes the answers that are there.
  void receive(Work& work, Clock::time_point now) {
    char buffer[65536];
    const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN) {
      return;
    }
    if (count <= 0) {
      throw Failure(count == 0 ? "the server closed a connection" : std::strerror(errno));
    }
    in_.append(buffer, static_cast<std::size_t>(count));
    std::size_t used = 0;
    while (const auto answer = find_answer(std::string_view{in_}.substr(used))) {
      settle(*answer, std::string_view{in_}.substr(used, answer->size), work, now);
      used += answer->size;
    }
    in_.erase(0, used);
  }

  [[nodiscard]] pollfd wanted() const {
    return {.fd = fd_,
            .events = static_cast<short>(POLLIN | (out_.empty() ? 0 : POLLOUT)),
            .revents = 0};
  }

  [[nodiscard]] bool idle() const { return sent_.empty(); }

 private:
  static constexpr std::size_t kOutMax = std::size_t{1} << 20;

  void append_request(std::uint64_t number) {
    const std::string key = fmt::format(fmt::runtime(options_.pattern), number);
    const std::string value = make_value(number, options_.size);
    fmt::format_to(std::back_inserter(out_),
                   "PUT /kv/{} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n"
                   "Content-Length: {}\r\n\r\n{}",
                   key, options_.host, value.size(), value);
  }

  void settle(const Answer& answer, std::string_view text, Work& work, Clock::time_point now) {
    if (sent_.empty()) {
      throw Failure("an answer without a request");
    }
    const std::uint64_t number = sent_.front();
    sent_.pop_front();
    if (answer.status == 200 || answer.status == 201) {
      work.written();
    } else if (answer.status == 503) {
      work.refused(number, now);
    } else {
      throw Failure(fmt::format("key number {}: {}", number, text));
    }
  }

  const Options& options_;
  int fd_;
  std::string out_;
  std::string in_;
  std::deque<std::uint64_t> sent_;
};

struct Outcome {
  std::uint64_t written = 0;
  std::uint64_t refusals = 0;
  double seconds = 0;
};

Outcome load(const Options& options) {
  Work work{options};
  std::vector<std::unique_ptr<Connection>> connections;
  for (std::uint64_t i = 0; i < options.connections; ++i) {
    connections.push_back(std::make_unique<Connection>(options));
  }
  std::vector<pollfd> polled(connections.size());
  const auto begin = Clock::now();
  const auto deadline = begin + std::chrono::seconds{options.seconds};
  while (work.written_count() < options.count) {
    const auto now = Clock::now();
    if (now > deadline) {
      throw Failure(fmt::format("{} of {} keys written after {} s", work.written_count(),
                                options.count, options.seconds));
    }
    for (std::size_t i = 0; i < connections.size(); ++i) {
      connections[i]->send_more(work, now);
      polled[i] = connections[i]->wanted();
    }
    poll(polled.data(), polled.size(), 20);
    for (std::size_t i = 0; i < connections.size(); ++i) {
      if ((polled[i].revents & ~POLLOUT) != 0) {
        connections[i]->receive(work, now);
      }
    }
  }
  return {.written = work.written_count(),
          .refusals = work.refusals(),
          .seconds = std::chrono::duration<double>(Clock::now() - begin).count()};
}

}  // namespace
}  // namespace kvs

int main(int argc, char** argv) {
  try {
    const kvs::Options options = kvs::parse_options(argc, argv);
    const kvs::Outcome outcome = kvs::load(options);
    fmt::print(
        "{{\"written\":{},\"refused_and_retried\":{},\"seconds\":{:.3f},\"per_second\":{:.0f}}}\n",
        outcome.written, outcome.refusals, outcome.seconds,
        static_cast<double>(outcome.written) / std::max(outcome.seconds, 1e-9));
    return 0;
  } catch (const kvs::Failure& failure) {
    fmt::print(stderr, "kvs-load: {}\n{}", failure.what(), kvs::kUsage);
  } catch (const std::exception& error) {
    fmt::print(stderr, "kvs-load: {}\n", error.what());
  }
  return 1;
}
