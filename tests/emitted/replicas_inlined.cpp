// SPDX-License-Identifier: MIT
// Replicas where the compiler sees everything: one pixel, static storage, every kernel inlined. Here it merges identical
// copies unless they are fenced from it.
#include <redoubt/harden/replicate.hpp>
#include <redoubt/nn/run.hpp>

#include <span>

#ifndef PROTECTION
#define PROTECTION tmr
#endif

using namespace redoubt;
using net = network<image<1, 1, 1>, float32, PROTECTION<linear<16>>>;

static parameters<net> weights;
static workspace<net> space;
static status<net> report;

void set_weights(const parameters<net>& from);
unsigned detected();
void protected_steps(std::span<const float, 1> image, float* out);

void set_weights(const parameters<net>& from) { weights = from; }
unsigned detected() { return report.total().detected; }

[[gnu::flatten]] void protected_steps(std::span<const float, 1> image, float* out) {
    no_faults none;
    run<net>(weights, image, space, report, none, 0, net::table.step_count);
    const auto logits = space.template value<float>(net::table.output);
    for (std::size_t i = 0; i < logits.size(); ++i) out[i] = logits[i];
}
