// SPDX-License-Identifier: MIT
// Every protection of float32 on a small target. It is the number of functions that counts here, not their speed.
// flags: -Os
#include "protections.hpp"

int main() {
    namespace rd = redoubt;
    using freestanding::list;
    using all = list<rd::range, rd::range_clamp, rd::range_neurons, freestanding::kept_range, rd::clip_weights, rd::tmr_parameters, rd::crc, rd::parity, rd::secded, rd::scrubbed_secded, rd::dmr, freestanding::diverse_dmr, rd::tmr, rd::abft,
                     freestanding::duplicate, freestanding::duplicate_minimum, freestanding::triplicate, rd::norm_apart, rd::saf, rd::scale>;
    return freestanding::works<rd::float32, all>() ? 0 : 1;
}
