#include "gossip/node.hpp"
