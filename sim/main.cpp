#include "sim/cli.hpp"

int main(int argc, char** argv) { return wigwag::sim::run_cli(argc, argv); }
