// SPDX-License-Identifier: MIT
// Defects that the test suite plants on purpose, to see its own tests go red. Never set outside tests/.
#pragma once

#ifndef REDOUBT_MUTANT
#define REDOUBT_MUTANT 0
#endif

namespace redoubt::inline v1 {

/// A protection broken in one place.
enum class mutant { none, no_barrier, no_vote, no_crc, no_bound, no_code, no_checksum, no_comparison, no_rotation };

inline constexpr mutant planted = static_cast<mutant>(REDOUBT_MUTANT);

}  // namespace redoubt::inline v1
