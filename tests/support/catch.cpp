// SPDX-License-Identifier: MIT
// The precompiled header must belong to a file that uses it: this one.
#include "support/catch.hpp"
