// SPDX-License-Identifier: MIT
// A value or the reason why there is none, without heap or exceptions.
#pragma once

#include <redoubt/base/contract.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace redoubt::inline v1 {

/// A reason a person can act on: what was wrong and where. Text past the capacity is cut and ends in "...".
class error {
public:
    static constexpr std::size_t capacity = 1023;

    constexpr error() = default;
    constexpr explicit error(std::string_view text) { *this << text; }

    /// Appends text.
    constexpr error& operator<<(std::string_view text) {
        for (char c : text) {
            if (size_ == capacity) {
                text_[size_ - 1] = text_[size_ - 2] = text_[size_ - 3] = '.';
                break;
            }
            text_[size_++] = c;
        }
        text_[size_] = '\0';
        return *this;
    }
    /// Appends a whole number in decimal.
    template <class Integer>
        requires std::is_integral_v<Integer>
    constexpr error& operator<<(Integer value) {
        char digits[24]{};
        std::size_t at = sizeof digits;
        const bool negative = value < Integer{0};
        unsigned long long rest = static_cast<unsigned long long>(value);
        if (negative) rest = 0ULL - rest;
        do {
            digits[--at] = static_cast<char>('0' + rest % 10);
            rest /= 10;
        } while (rest != 0);
        if (negative) digits[--at] = '-';
        return *this << std::string_view{digits + at, sizeof digits - at};
    }

    constexpr std::string_view text() const { return {text_, size_}; }
    constexpr const char* c_str() const { return text_; }

private:
    char text_[capacity + 1]{};
    std::size_t size_ = 0;
};

/// Either a T or an error. Asking for the one that is not there breaks a precondition.
template <class T>
class [[nodiscard]] result {
public:
    result(T value) : good_{true} { std::construct_at(&value_, std::move(value)); }
    result(error reason) : good_{false} { std::construct_at(&error_, reason); }
    result(const result& other) : good_{other.good_} {
        if (good_) std::construct_at(&value_, other.value_);
        else std::construct_at(&error_, other.error_);
    }
    result(result&& other) noexcept : good_{other.good_} {
        if (good_) std::construct_at(&value_, std::move(other.value_));
        else std::construct_at(&error_, other.error_);
    }
    result& operator=(result other) noexcept {
        std::destroy_at(this);
        return *std::construct_at(this, std::move(other));
    }
    ~result() {
        if (good_) std::destroy_at(&value_);
    }

    explicit operator bool() const { return good_; }
    T& value() & { REDOUBT_EXPECTS(good_); return value_; }
    const T& value() const& { REDOUBT_EXPECTS(good_); return value_; }
    T&& value() && { REDOUBT_EXPECTS(good_); return std::move(value_); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    const error& reason() const { REDOUBT_EXPECTS(!good_); return error_; }

private:
    union {
        T value_;
        error error_;
    };
    bool good_;
};

/// Success, or the reason for failure.
template <>
class [[nodiscard]] result<void> {
public:
    result() = default;
    result(error reason) : reason_{reason}, good_{false} {}
    explicit operator bool() const { return good_; }
    const error& reason() const { REDOUBT_EXPECTS(!good_); return reason_; }

private:
    error reason_{};
    bool good_ = true;
};

}  // namespace redoubt::inline v1
