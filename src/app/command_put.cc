// `kvs put PATH [VALUE]` and `kvs del PATH`: writes of one key, with conditions; `kvs del
// --recursive PATH` (app/delete_below).
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/delete_below.h"
#include "app/human_text.h"
#include "app/read_all.h"
#include "base/utf8.h"
#include "wire/json.h"
#include "wire/json_view.h"
#include "wire/ttl.h"

namespace kvs {
namespace {

struct WriteOptions {
  ClientOptions client;
  std::string path;
  std::optional<std::string> value;
  std::string file;
  std::string if_match;
  std::optional<std::int64_t> ttl_s;
  bool if_none_match = false;
  bool string = false;
  bool recursive = false;
  bool everything = false;
};

CallCondition condition_of(const WriteOptions& options) {
  using Kind = CallCondition::Kind;
  if (options.if_none_match) {
    return {.kind = Kind::if_absent, .uuid = {}};
  }
  if (options.if_match.empty()) {
    return {};
  }
  return options.if_match == "*"
             ? CallCondition{.kind = Kind::if_present, .uuid = {}}
             : CallCondition{.kind = Kind::if_version, .uuid = options.if_match};
}

/// "" is no version: an empty variable in a script must not become a write without a condition.
std::string check_version(const std::string& text) {
  const bool plain = text.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
  return text == "*" || (plain && !text.empty())
             ? std::string()
             : fmt::format("\"{}\" is no version: give the uuid of one, or *", text);
}

/// What is to be stored, checked here so that a mistake is told before anything is sent.
Result<std::string> value_of(const WriteOptions& options) {
  std::string text;
  if (options.value) {
    text = *options.value;
  } else {
    text = KVS_TRY(read_all(options.file, kValueBytesMax));
  }
  if (options.string) {
    if (!is_utf8(text)) {
      return fail(Errc::invalid_json, "the text is not UTF-8, which a JSON string has to be");
    }
    std::string quoted;
    append_json_string(quoted, text);
    return quoted;
  }
  JsonChecker checker;
  if (const auto checked = checker.check(text); !checked) {
    return fail(Errc::invalid_json,
                fmt::format("the value is no JSON: {}; --string stores text as a JSON string",
                            checked.error().detail));
  }
  return text;
}

Result<Answer> send(const WriteOptions& options, std::string_view method, std::string_view body) {
  const Key key = KVS_TRY(key_argument(options.path));
  HttpClient client(http_options(options.client));
  const std::string query = options.ttl_s ? fmt::format("?ttl={}", *options.ttl_s) : "";
  return fine_answer(client.ask({.method = method,
                                 .target = key_target(key) + query,
                                 .body = body,
                                 .condition = condition_of(options)}));
}

Result<Answer> send_put(const WriteOptions& options) {
  KVS_TRY(key_argument(options.path));
  const std::string value = KVS_TRY(value_of(options));
  auto answer = send(options, "PUT", value);
  if (!answer && answer.error().code == Errc::value_too_large) {
    return fail(Errc::value_too_large,
                fmt::format("the value has {} bytes, more than the node takes (max_value_bytes)",
                            value.size()));
  }
  return answer;
}

int put(const WriteOptions& options) {
  const auto answer = send_put(options);
  if (!answer) {
    return report(answer.error(), options.client);
  }
  constexpr unsigned kCreated = 201;
  const bool created = answer->head.status == kCreated;
  const std::string uuid = json_string_member(answer->body, "uuid").value_or("");
  const std::int64_t timestamp = json_integer_member(answer->body, "timestamp").value_or(0);
  const auto expires = json_integer_member(answer->body, "expires");
  std::string text;
  if (options.client.json) {
    JsonWriter json(text);
    json.begin_object();
    json.key("path").string(options.path);
    json.key("uuid").string(uuid);
    json.key("timestamp").number(timestamp);
    if (expires) {
      json.key("expires").number(*expires);
    }
    json.key("created").boolean(created);
    json.end_object();
  } else if (out_is_terminal()) {
    text = fmt::format("{} {}, version {} of {}{}", created ? "created" : "replaced",
                       harmless(options.path), uuid, time_text(timestamp),
                       expires ? ", expires " + time_text(*expires) : "");
  } else {
    text = uuid;
  }
  return print_out(text + '\n', options.client);
}

int del(const WriteOptions& options) {
  if (options.recursive) {
    return delete_below(
        {.client = options.client, .path = options.path, .everything = options.everything});
  }
  const auto answer = send(options, "DELETE", {});
  if (!answer) {
    return report(answer.error(), options.client);
  }
  std::string text;
  if (options.client.json) {
    JsonWriter(text)
        .begin_object()
        .key("path")
        .string(options.path)
        .key("deleted")
        .boolean(true)
        .key("timestamp")
        .number(answer->head.timestamp_ms.value_or(0))
        .end_object();
    text.push_back('\n');
  } else if (out_is_terminal()) {
    text = fmt::format("deleted {}\n", harmless(options.path));
  }
  return print_out(text, options.client);
}

CLI::Option* add_if_match(CLI::App& parser, WriteOptions& options) {
  return parser
      .add_option("--if-match", options.if_match,
                  "Only if this is its version now; * for any version")
      ->type_name("UUID")
      ->check(check_version);
}

}  // namespace

void declare_put(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand("put", "Store a value under a key");
  const auto options = std::make_shared<WriteOptions>();
  parser->add_option("PATH", options->path, "Key")->required();
  CLI::Option* const value = parser->add_option(
      "VALUE", options->value, "JSON; without it and --file, standard input is stored");
  parser->add_option("--file", options->file, "Store what this file holds; - is standard input")
      ->type_name("FILE")
      ->excludes(value);
  parser->add_flag("--string", options->string, "The value is text, to be stored as a JSON string");
  CLI::Option* const if_match = add_if_match(*parser, *options);
  parser->add_flag("--if-none-match", options->if_none_match, "Only if the key has no value yet")
      ->excludes(if_match);
  parser->add_option("--ttl", options->ttl_s, "The value is gone after so long")
      ->type_name("SECONDS")
      ->check(CLI::Range(std::int64_t{1}, kTtlSecondsMax));
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return put(*options);
    };
  });
}

void declare_del(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand("del", "Delete a key, or all keys below a path");
  const auto options = std::make_shared<WriteOptions>();
  parser->add_option("PATH", options->path, "Key, or with --recursive a path")->required();
  CLI::Option* const if_match = add_if_match(*parser, *options);
  CLI::Option* const recursive =
      parser
          ->add_flag("--recursive", options->recursive,
                     "Delete every key below the path, not the key of that name")
          ->excludes(if_match);
  parser->add_flag("--everything", options->everything, "Delete all keys, with the PATH /")
      ->needs(recursive);
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return del(*options);
    };
  });
}

}  // namespace kvs
