// SPDX-License-Identifier: MIT
// A protection with a number before its layers, that does not say how it stands around others, and a rule that would wrap what is in it.
// expect: redoubt: a protection with template arguments before its layers needs
// control: -DREJECT_FIXED
#include <redoubt/harden/rule.hpp>
#include <redoubt/harden/stores.hpp>

template <int Percent, class... Layers>
struct capped : redoubt::protection<Layers...> {
#ifdef REJECT_FIXED
    template <class... New> using around = capped<Percent, New...>;
#endif
    struct guard {
        static void apply(auto, auto, auto, redoubt::fault_counters&) {}
    };
};
using net = redoubt::network<redoubt::image<1, 4, 4>, redoubt::float32, capped<120, redoubt::linear<10>>>;
using hard = redoubt::harden<net, redoubt::protect<redoubt::is_weighted, redoubt::crc>>;
static_assert(hard::table.slots[0].store >= 0);
