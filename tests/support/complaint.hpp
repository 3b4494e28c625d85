// SPDX-License-Identifier: MIT
// Checks on the text of errors.
#pragma once

#include <redoubt/base/result.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace support {

/// The text of the error, or "no error".
template <class T>
std::string complaint(const redoubt::result<T>& outcome) {
    return outcome ? "no error" : std::string{outcome.reason().text()};
}

/// True if every word occurs in the text.
inline bool says(std::string_view text, std::initializer_list<std::string_view> words) {
    for (std::string_view word : words)
        if (text.find(word) == std::string_view::npos) return false;
    return true;
}

}  // namespace support

/// The outcome is an error whose text holds all of the words; the text is shown when it does not.
#define CHECK_COMPLAINT(outcome, ...)                               \
    do {                                                            \
        const std::string complaint_ = support::complaint(outcome); \
        CAPTURE(complaint_);                                        \
        CHECK(support::says(complaint_, {__VA_ARGS__}));            \
    } while (false)
