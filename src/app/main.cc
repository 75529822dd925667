#include "app/cli.h"
#include "app/serve.h"

int main(int argc, char** argv) {
  return kvs::run_cli(argc, argv, kvs::serve);
}
