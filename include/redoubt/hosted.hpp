// SPDX-License-Identifier: MIT
// Everything: the embedded floors, files and data sets, campaigns, and the command line.
#pragma once

#include <redoubt/app/run.hpp>
#include <redoubt/campaign/infer_all.hpp>
#include <redoubt/io/cifar.hpp>
#include <redoubt/redoubt.hpp>
