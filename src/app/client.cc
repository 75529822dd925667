#include "app/client.h"

#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "wire/json.h"

namespace kvs {
namespace {

constexpr std::uint32_t kTimeoutMaxS = 86'400;

std::string check_node(const std::string& text) {
  return parse_address(text) ? std::string()
                             : fmt::format("\"{}\" is no address of a node: write HOST:PORT", text);
}

}  // namespace

void declare_client_options(CLI::App& parser, ClientOptions& options) {
  parser.add_option("--node", options.node, "Node to talk to")
      ->type_name("HOST:PORT")
      ->envname("KVS_NODE")
      ->check(check_node)
      ->capture_default_str();
  parser.add_option("--timeout", options.timeout_s, "Seconds of silence after which to give up")
      ->type_name("SECONDS")
      ->check(CLI::Range(1U, kTimeoutMaxS))
      ->capture_default_str();
  parser.add_flag("--json", options.json, "Print JSON, for scripts");
}

Address node_of(const ClientOptions& options) {
  return parse_address(options.node).value_or(Address{});
}

HttpClientOptions http_options(const ClientOptions& options, Interrupt* interrupt) {
  HttpClientOptions http{.node = node_of(options),
                         .silence_timeout = Duration::from_seconds(options.timeout_s),
                         .interrupt = interrupt};
  http.connect_timeout = std::min(http.connect_timeout, http.silence_timeout);
  return http;
}

LanePoolOptions pool_options(const ClientOptions& options, const Lanes& lanes,
                             Interrupt& interrupt) {
  const HttpClientOptions http = http_options(options, &interrupt);
  return {.node = http.node,
          .connections = lanes.connections,
          .depth = lanes.depth,
          .connect_timeout = http.connect_timeout,
          .silence_timeout = http.silence_timeout,
          .interrupt = &interrupt};
}

Result<Answer> fine_answer(Result<Answer> answer) {
  if (!answer || answer->head.fine()) {
    return answer;
  }
  Error error = error_of(answer->head, answer->body);
  if (const auto wait_s = answer->head.retry_after_s) {
    error.detail += fmt::format("; try again in {} s", *wait_s);
  }
  return std::unexpected(std::move(error));
}

Result<Key> key_argument(const std::string& text) {
  return Key::parse(text, kKeyBytesMax);
}

Result<std::string> folder_argument(const std::string& text) {
  std::string path = text;
  if (path.ends_with('/')) {
    path.pop_back();
  }
  if (!path.empty()) {
    KVS_TRY(Key::parse(path, kKeyBytesMax));
  }
  return path;
}

int exit_code_of(Errc code) {
  switch (code) {
    case Errc::invalid_key:
    case Errc::key_too_large:
    case Errc::invalid_json:
    case Errc::value_too_large:
    case Errc::invalid_query:
    case Errc::bad_request:
      return kExitUsage;
    case Errc::not_found:
      return kExitNotFound;
    case Errc::version_mismatch:
      return kExitCondition;
    case Errc::address_unusable:
      return kExitUnreachable;
    case Errc::read_only:
    case Errc::syncing:
    case Errc::overloaded:
    case Errc::shutting_down:
    case Errc::disk_full:
      return kExitNotNow;
    default:
      return kExitFailed;
  }
}

int report(const Error& error, const ClientOptions& options) {
  if (options.json) {
    std::string line;
    JsonWriter(line)
        .begin_object()
        .key("error")
        .begin_object()
        .key("code")
        .string(to_string(error.code))
        .key("message")
        .string(error.detail)
        .end_object()
        .end_object();
    fmt::print(stderr, "{}\n", line);
  } else {
    print_error(error.detail);
  }
  return exit_code_of(error.code);
}

void remark(const std::string& text, const ClientOptions& options) {
  if (!options.json) {
    print_error(text);
  }
}

int print_out(std::string_view text, const ClientOptions& options, int exit_code) {
  Output out(STDOUT_FILENO);
  auto written = out.put(text);
  if (written) {
    written = out.flush();
  }
  return written ? exit_code : report(written.error(), options);
}

bool out_is_terminal() {
  return ::isatty(STDOUT_FILENO) == 1;
}

}  // namespace kvs
