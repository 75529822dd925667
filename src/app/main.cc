#include "app/cli.h"
#if __has_include("app/serve.h")
#include "app/serve.h"
#else
namespace kvs {
static int serve(const Config& /*config*/, const std::string& /*config_path*/) {
  print_error("this build cannot serve yet");
  return kExitFailed;
}
}  // namespace kvs
#endif

int main(int argc, char** argv) {
  return kvs::run_cli(argc, argv, kvs::serve);
}
