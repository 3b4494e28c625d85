// SPDX-License-Identifier: MIT
// Redundantly kept parameters that are looked at when they are scrubbed, and only then.
#pragma once

#include <redoubt/harden/ecc.hpp>
#include <redoubt/harden/stores.hpp>

namespace redoubt::inline v1 {

/// Keeps parameters as Protection does, secded, parity, crc or tmr_parameters; steps read them unchecked, as fast as unprotected ones and from where they lie.
/// No Winograd. What has struck them acts until scrub() or scrub_next() repairs it (parity: for good), and no inference's status says so: what a scrub found is in its result and in state.total.
/// A network that is never scrubbed, or lies in ROM, is unprotected, as it is in a campaign. So call one of them as often as faults ask for: scrub() before each
/// inference is a separate pass over parameters, scrub_next() after each inference bounds the pause by the largest layer. Memory as Protection's, without its scratch.
template <template <class...> class Protection, class... Layers>
struct on_scrub : protection<Layers...> {
    template <class... New>
    using around = on_scrub<Protection, New...>;
    static_assert(storing<Protection<Layers...>> && !guarding<Protection<Layers...>> && !transforming<Protection<Layers...>> && !checking<Protection<Layers...>> &&
                      !replicating<Protection<Layers...>> && !keeping_bounds<Protection<Layers...>>,
                  "redoubt: on_scrub takes a protection that keeps parameters and does nothing else");
    struct store : Protection<Layers...>::store {
        static constexpr bool only_scrubbed = true;
    };
};

template <class... Layers> struct scrubbed_secded : on_scrub<secded, Layers...> {};
template <class... Layers> struct scrubbed_parity : on_scrub<parity, Layers...> {};
template <class... Layers> struct scrubbed_crc : on_scrub<crc, Layers...> {};
template <class... Layers> struct scrubbed_tmr_parameters : on_scrub<tmr_parameters, Layers...> {};

}  // namespace redoubt::inline v1
