#include "daemon/cli.hpp"

int main(int argc, char** argv) { return wigwag::run_cli(argc, argv); }
