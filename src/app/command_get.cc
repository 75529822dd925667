// `kvs get PATH`: the value of a key, or with --meta its version too.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/human_text.h"
#include "app/table.h"
#include "wire/json_view.h"

namespace kvs {
namespace {

struct GetOptions {
  ClientOptions client;
  std::string path;
  bool meta = false;
};

Result<Answer> fetch(const GetOptions& options) {
  const Key key = KVS_TRY(key_argument(options.path));
  std::string target = key_target(key);
  if (options.meta || options.client.json) {
    target += "?meta=true";
  }
  HttpClient client(http_options(options.client));
  return fine_answer(client.ask({.target = std::move(target)}));
}

/// Values leave as they are stored, but for a line break on a terminal.
std::string value_text(const std::string& value) {
  return out_is_terminal() ? harmless(value) + '\n' : value;
}

std::string meta_text(const std::string& path, std::string_view body) {
  const auto style = out_is_terminal() ? Table::Style::terminal : Table::Style::plain;
  const std::int64_t timestamp = json_integer_member(body, "timestamp").value_or(0);
  const auto expires = json_integer_member(body, "expires");
  std::vector<std::string> names{"PATH", "UUID", "TIMESTAMP", "TIME"};
  std::vector<std::string> cells{path, json_string_member(body, "uuid").value_or(""),
                                 fmt::format("{}", timestamp), time_text(timestamp)};
  if (expires) {
    names.emplace_back("EXPIRES");
    cells.push_back(time_text(*expires));
  }
  Table table(std::move(names));
  table.add(cells);
  const std::string data(json_member(body, "data").value_or("null"));
  return table.text(style) + (out_is_terminal() ? "\n" + harmless(data) : data) + '\n';
}

int get(const GetOptions& options) {
  auto answer = fetch(options);
  if (!answer) {
    if (answer.error().code == Errc::not_found) {
      return report({.code = Errc::not_found,
                     .detail = fmt::format("nothing is stored under {}", options.path)},
                    options.client);
    }
    return report(answer.error(), options.client);
  }
  if (options.client.json) {
    return print_out(on_one_line(answer->body) + '\n', options.client);
  }
  return print_out(options.meta ? meta_text(options.path, answer->body) : value_text(answer->body),
                   options.client);
}

}  // namespace

void declare_get(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand("get", "Print the value of a key");
  const auto options = std::make_shared<GetOptions>();
  parser->add_option("PATH", options->path, "Key")->required();
  parser->add_flag("--meta", options->meta, "Print its version too");
  declare_client_options(*parser, options->client);
  parser->callback([options, &command] {
    command = [options] {
      return get(*options);
    };
  });
}

}  // namespace kvs
