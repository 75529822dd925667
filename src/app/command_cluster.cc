// `kvs members`, `kvs status`, `kvs leave`: the cluster as a node sees it.
#include <algorithm>
#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/client.h"
#include "app/human_text.h"
#include "app/table.h"
#include "wire/json.h"
#include "wire/json_view.h"

namespace kvs {
namespace {

struct ClusterOptions {
  ClientOptions client;
  std::string member;
  bool all = false;
  bool yes = false;
};

Table::Style style_out() {
  return out_is_terminal() ? Table::Style::terminal : Table::Style::plain;
}

std::string text_member(std::string_view object, std::string_view name) {
  return json_string_member(object, name).value_or("");
}

std::int64_t number_member(std::string_view object, std::string_view name) {
  return json_integer_member(object, name).value_or(0);
}

// members

std::string ago(std::int64_t ms) {
  return ms <= 0 ? "now" : span_text(Duration::from_ms(ms)) + " ago";
}

/// How long ago as of the latest time in the list, which is the answering node's own.
std::string seen_text(std::int64_t then_ms, std::int64_t now_ms) {
  return then_ms == 0 ? "never" : ago(now_ms - then_ms);
}

std::string members_text(std::string_view body) {
  std::int64_t now_ms = 0;
  JsonElements to_compare(body);
  while (const auto member = to_compare.next()) {
    now_ms = std::max(now_ms, number_member(*member, "last_seen"));
  }
  const bool terminal = out_is_terminal();
  Table table({"ID", "ADDRESS", "STATE", "MODE", "LAST SEEN", "JOINED"});
  JsonElements elements(body);
  while (const auto member = elements.next()) {
    const std::int64_t seen = number_member(*member, "last_seen");
    const std::int64_t joined = number_member(*member, "joined_timestamp");
    table.add({text_member(*member, "id"), text_member(*member, "address"),
               text_member(*member, "state"), text_member(*member, "mode"),
               terminal ? seen_text(seen, now_ms) : fmt::format("{}", seen),
               terminal ? time_text(joined) : fmt::format("{}", joined)});
  }
  return table.text(style_out());
}

int members(const ClusterOptions& options) {
  HttpClient client(http_options(options.client));
  const auto answer =
      fine_answer(client.ask({.target = options.all ? "/members/?all=true" : "/members/"}));
  if (!answer) {
    return report(answer.error(), options.client);
  }
  return print_out(options.client.json ? answer->body + '\n' : members_text(answer->body),
                   options.client);
}

// status

/// A number that may be `null`: "?" then.
std::string maybe_number(std::string_view object, std::string_view name) {
  const auto number = json_integer_member(object, name);
  return number ? grouped(static_cast<std::uint64_t>(std::max<std::int64_t>(*number, 0))) : "?";
}

std::string agreement(std::string_view member) {
  const auto value = json_member(member, "fingerprints_agree");
  return value == "true" ? "yes" : value == "false" ? "no" : "?";
}

std::string as_of(std::string_view member) {
  const auto age = json_integer_member(member, "as_of_ms");
  return age ? ago(*age) : "never";
}

void add_health(Table& facts, std::string_view health) {
  facts.add({"node", text_member(health, "node_id")});
  facts.add({"version", text_member(health, "version")});
  facts.add({"status", text_member(health, "status")});
  if (const auto reason = json_string_member(health, "reason")) {
    facts.add({"reason", *reason});
  }
  facts.add({"mode", text_member(health, "mode")});
  facts.add({"up for", span_text(Duration::from_ms(number_member(health, "uptime_ms")))});
  facts.add({"live members", fmt::format("{}", number_member(health, "member_count"))});
  JsonElements warnings(json_member(health, "warnings").value_or(""));
  while (const auto warning = warnings.next()) {
    facts.add({"warning", json_string(*warning).value_or("")});
  }
}

std::string status_text(std::string_view health, std::string_view convergence) {
  Table facts({"", ""});
  add_health(facts, health);
  facts.add({"convergence", text_member(convergence, "summary")});
  Table table({"MEMBER", "STATE", "BEHIND", "OWED", "EQUAL", "AS OF"});
  JsonElements elements(json_member(convergence, "members").value_or(""));
  while (const auto member = elements.next()) {
    table.add({text_member(*member, "id"), text_member(*member, "state"),
               maybe_number(*member, "writes_behind"), maybe_number(*member, "writes_owed"),
               agreement(*member), as_of(*member)});
  }
  std::string text = facts.text(style_out());
  if (out_is_terminal()) {
    text.erase(0, text.find('\n') + 1);  // facts have no titles
    text += '\n';
  }
  return text + table.text(style_out());
}

int status(const ClusterOptions& options) {
  HttpClient client(http_options(options.client));
  auto health = client.ask({.target = "/health"});
  const bool has_health = health && !text_member(health->body, "status").empty();
  if (!has_health) {
    health = fine_answer(std::move(health));
    return report(health ? Error{.code = Errc::address_unusable,
                                 .detail = fmt::format("what answers at {} is no KVS node",
                                                       options.client.node)}
                         : health.error(),
                  options.client);
  }
  const auto convergence = fine_answer(client.ask({.target = "/cluster/convergence"}));
  if (!convergence) {
    return report(convergence.error(), options.client);
  }
  std::string text;
  if (options.client.json) {
    JsonWriter(text)
        .begin_object()
        .key("health")
        .raw(on_one_line(health->body))
        .key("convergence")
        .raw(on_one_line(convergence->body))
        .end_object();
    text.push_back('\n');
  } else {
    text = status_text(health->body, convergence->body);
  }
  return print_out(text, options.client, health->head.fine() ? kExitFine : kExitFailed);
}

// leave

/// Asks a person; programs are not asked.
bool confirmed(const ClusterOptions& options) {
  if (options.yes || options.client.json || ::isatty(STDIN_FILENO) != 1) {
    return true;
  }
  fmt::print(
      stderr, "{} Go on? [y/N] ",
      options.member.empty()
          ? fmt::format("The node at {} will leave the cluster and stop.", options.client.node)
          : fmt::format("{} will be taken off the list at all members.", options.member));
  std::fflush(stderr);
  const int first = std::getchar();
  return first == 'y' || first == 'Y';
}

int leave(const ClusterOptions& options) {
  if (!confirmed(options)) {
    print_error("nothing was done");
    return kExitFailed;
  }
  std::string body;
  if (!options.member.empty()) {
    JsonWriter(body).begin_object().key("id").string(options.member).end_object();
  }
  HttpClient client(http_options(options.client));
  const auto answer =
      fine_answer(client.ask({.method = "POST", .target = "/members/leave", .body = body}));
  if (!answer) {
    return report(answer.error(), options.client);
  }
  const bool owes = json_member(answer->body, "handed_over") == "false";
  std::string text;
  if (options.client.json) {
    text = answer->body + '\n';
  } else if (!options.member.empty()) {
    text = fmt::format("{} was removed\n", harmless(options.member));
  } else {
    text = fmt::format("the node at {} has left, and stops\n", options.client.node);
  }
  if (owes) {
    remark(
        "it could not hand over all its writes: the others get those that they lack when it is "
        "started again on its folder, which must be kept",
        options.client);
  }
  return print_out(text, options.client, owes ? kExitFailed : kExitFine);
}

using Run = int (*)(const ClusterOptions&);

/// Adds what the three share.
void finish_declaring(CLI::App& parser, const std::shared_ptr<ClusterOptions>& options, Run run,
                      Command& command) {
  declare_client_options(parser, options->client);
  parser.callback([options, run, &command] {
    command = [options, run] {
      return run(*options);
    };
  });
}

}  // namespace

void declare_members(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand("members", "List the members of the cluster");
  const auto options = std::make_shared<ClusterOptions>();
  parser->add_flag("--all", options->all, "List failed ones too");
  finish_declaring(*parser, options, members, command);
}

void declare_status(CLI::App& app, Command& command) {
  CLI::App* const parser =
      app.add_subcommand("status", "Tell how the node is, and whether all members hold the same");
  finish_declaring(*parser, std::make_shared<ClusterOptions>(), status, command);
}

void declare_leave(CLI::App& app, Command& command) {
  CLI::App* const parser = app.add_subcommand(
      "leave", "Make the node leave the cluster and stop, or take a failed member off the list");
  const auto options = std::make_shared<ClusterOptions>();
  parser->add_option("MEMBER", options->member, "Id of a failed member to remove");
  parser->add_flag("--yes", options->yes, "Do not ask");
  finish_declaring(*parser, options, leave, command);
}

}  // namespace kvs
