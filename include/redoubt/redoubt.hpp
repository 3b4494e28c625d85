// SPDX-License-Identifier: MIT
// Every floor that needs no heap, exceptions, RTTI or iostream: networks, protections, faults and the model zoo.
#pragma once

#include <redoubt/base/bits.hpp>
#include <redoubt/base/contract.hpp>
#include <redoubt/base/philox.hpp>
#include <redoubt/base/result.hpp>
#include <redoubt/fault/features.hpp>
#include <redoubt/fault/weights.hpp>
#include <redoubt/harden/abft.hpp>
#include <redoubt/harden/clip.hpp>
#include <redoubt/harden/duplicate.hpp>
#include <redoubt/harden/ecc.hpp>
#include <redoubt/harden/hybrid_range.hpp>
#include <redoubt/harden/norm_apart.hpp>
#include <redoubt/harden/prune.hpp>
#include <redoubt/harden/range.hpp>
#include <redoubt/harden/replicate.hpp>
#include <redoubt/harden/rule.hpp>
#include <redoubt/harden/saturate.hpp>
#include <redoubt/harden/scale.hpp>
#include <redoubt/harden/scrub.hpp>
#include <redoubt/harden/stores.hpp>
#include <redoubt/harden/tmr_bounds.hpp>
#include <redoubt/harden/zero_space.hpp>
#include <redoubt/model/lenet.hpp>
#include <redoubt/model/mobilenet.hpp>
#include <redoubt/model/resnet.hpp>
#include <redoubt/model/resnet_cifar.hpp>
#include <redoubt/model/vgg.hpp>
#include <redoubt/nn/batch.hpp>
#include <redoubt/nn/calibrate.hpp>
#include <redoubt/nn/convert.hpp>
#include <redoubt/nn/neuron_ranges.hpp>
#include <redoubt/nn/permute.hpp>
#include <redoubt/nn/rom.hpp>
#include <redoubt/nn/run.hpp>
