// SPDX-License-Identifier: MIT
// Everything: the embedded floors, files and data sets, campaigns, and the command line.
#pragma once

#include <redoubt/analyze/bound_search.hpp>
#include <redoubt/analyze/deepvigor.hpp>
#include <redoubt/analyze/hardening_file.hpp>
#include <redoubt/analyze/learn_then_test.hpp>
#include <redoubt/analyze/measured.hpp>
#include <redoubt/analyze/pruning_file.hpp>
#include <redoubt/analyze/ranking_file.hpp>
#include <redoubt/analyze/vulnerability.hpp>
#include <redoubt/analyze/weight_scores.hpp>
#include <redoubt/app/run.hpp>
#include <redoubt/campaign/fit.hpp>
#include <redoubt/campaign/infer_all.hpp>
#include <redoubt/campaign/paired.hpp>
#include <redoubt/campaign/planning.hpp>
#include <redoubt/campaign/sequential.hpp>
#include <redoubt/campaign/stratified.hpp>
#include <redoubt/io/channel_selection.hpp>
#include <redoubt/io/cifar.hpp>
#include <redoubt/io/rom.hpp>
#include <redoubt/redoubt.hpp>
#include <redoubt/train/bounds.hpp>
#include <redoubt/train/deploy.hpp>
