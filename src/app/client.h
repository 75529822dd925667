// What the client commands share: which node, how answers are shown, how errors end.
//
// With --json everything on standard output is JSON, and so is an error on standard error:
// {"error":{"code":"...","message":"..."}}. docs/kvs.1 is normative.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "app/cli.h"
#include "app/output.h"
#include "base/result.h"
#include "core/key.h"
#include "io/http_client.h"
#include "io/lane_pool.h"

namespace kvs {

struct ClientOptions {
  std::string node = "127.0.0.1:8080";
  std::uint32_t timeout_s = 30;
  bool json = false;
};

/// Adds --node, --timeout and --json to a subcommand.
void declare_client_options(CLI::App& parser, ClientOptions& options);

[[nodiscard]] Address node_of(const ClientOptions& options);

[[nodiscard]] HttpClientOptions http_options(const ClientOptions& options,
                                             Interrupt* interrupt = nullptr);

/// How much may be under way at once.
struct Lanes {
  std::size_t connections = 1;
  std::size_t depth = 1;  // calls on each
};

[[nodiscard]] LanePoolOptions pool_options(const ClientOptions& options, const Lanes& lanes,
                                           Interrupt& interrupt);

/// The answer, or what it refuses, with when to try again.
[[nodiscard]] Result<Answer> fine_answer(Result<Answer> answer);

/// A key of the command line: a PATH without slashes at its ends.
[[nodiscard]] Result<Key> key_argument(const std::string& text);

/// A path of the command line under which keys are: as a key, or with one slash at its end; empty
/// or `/` is the root. Without that slash; errors as of key_argument.
[[nodiscard]] Result<std::string> folder_argument(const std::string& text);

[[nodiscard]] int exit_code_of(Errc code);

/// Prints an error as the options say. Its exit code.
[[nodiscard]] int report(const Error& error, const ClientOptions& options);

/// Prints a remark, not an error, for people: nothing with --json.
void remark(const std::string& text, const ClientOptions& options);

/// Writes `text` to standard output. The exit code: `exit_code`, or that of a failed write.
[[nodiscard]] int print_out(std::string_view text, const ClientOptions& options,
                            int exit_code = kExitFine);

/// True if standard output is a terminal.
[[nodiscard]] bool out_is_terminal();

}  // namespace kvs
