// SPDX-License-Identifier: MIT
// Preconditions, checked in one of four modes that is set once for the whole program (REDOUBT_CONTRACTS).
#pragma once

#include <redoubt/base/config.hpp>

#if REDOUBT_CONTRACTS == 3
#include <stdexcept>
#endif

namespace redoubt::inline v1 {

/// What a broken precondition tells the handler.
struct violation {
    const char* condition;
    const char* file;
    int line;
};

#if REDOUBT_CONTRACTS == 2
/// Defined by the program in mode 2. It must not return.
[[noreturn]] void on_violation(const violation&) noexcept;
#endif

#if REDOUBT_CONTRACTS == 3
/// Thrown in mode 3.
class contract_error : public std::logic_error {
public:
    explicit contract_error(const violation& v) : std::logic_error{v.condition}, where{v} {}
    violation where;
};
#endif

}  // namespace redoubt::inline v1

namespace redoubt::inline REDOUBT_ABI {

#if REDOUBT_CONTRACTS == 1
[[noreturn]] inline void broken(const violation&) noexcept { __builtin_trap(); }
#elif REDOUBT_CONTRACTS == 2
[[noreturn]] inline void broken(const violation& v) noexcept { on_violation(v); }
#elif REDOUBT_CONTRACTS == 3
[[noreturn]] inline void broken(const violation& v) { throw contract_error{v}; }
#endif

}  // namespace redoubt::inline REDOUBT_ABI

/// States what the caller owes. Never used for faults in data: those are status, not errors.
#if REDOUBT_CONTRACTS == 0
#define REDOUBT_EXPECTS(condition) static_cast<void>(sizeof((condition) ? 1 : 0))
#else
#define REDOUBT_EXPECTS(condition) \
    ((condition) ? static_cast<void>(0) : ::redoubt::broken(::redoubt::violation{#condition, __FILE__, __LINE__}))
#endif
