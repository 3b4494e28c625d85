// SPDX-License-Identifier: MIT
// A protection whose one member has another name than any that is looked for.
// expect: redoubt: this protection says nothing that it does
// control: -DREJECT_FIXED
#include <redoubt/nn/run.hpp>

template <class... Layers>
struct mine : redoubt::protection<Layers...> {
#ifdef REJECT_FIXED
    struct guard {
#else
    struct gard {
#endif
        static void apply(auto, auto, auto, redoubt::fault_counters&) {}
    };
};
using net = redoubt::network<redoubt::image<1, 4, 4>, redoubt::float32, mine<redoubt::linear<10>>>;
static_assert(redoubt::workspace_bytes<net> > 0);
