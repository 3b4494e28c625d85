// SPDX-License-Identifier: MIT
// The networks that host and microcontroller run, and how both print an answer.
#pragma once

#include <redoubt/redoubt.hpp>

#include <cstddef>
#include <cstdint>

namespace cortex_m {

/// LeNet-5 as a device ships it: parameters that are only read, with checksums; convolutions restricted in range.
template <redoubt::number N>
using lenet = redoubt::harden<redoubt::model::lenet5<redoubt::image<1, 28, 28>, N>,
                              redoubt::protect<redoubt::is_conv, redoubt::range>,
                              redoubt::protect<redoubt::is_weighted, redoubt::crc>>;

/// Writes text through `put`, which takes a C string; needs no C library.
template <class Put>
class writer {
public:
    explicit writer(Put put) : put_{put} {}

    writer& operator<<(const char* text) {
        put_(text);
        return *this;
    }
    writer& operator<<(std::size_t number) {
        char digits[21];
        char* at = digits + sizeof digits;
        *--at = '\0';
        do *--at = static_cast<char>('0' + number % 10);
        while ((number /= 10) != 0);
        return *this << at;
    }
    /// The eight hexadecimal digits of a word.
    writer& word(std::uint32_t bits) {
        char digits[9] = {};
        for (int i = 0; i < 8; ++i) digits[i] = "0123456789abcdef"[(bits >> (28 - 4 * i)) & 15u];
        return *this << digits;
    }

private:
    Put put_;
};

/// One inference, and its answer in words: equal text means equal bits.
template <redoubt::network_type Net, class Put>
void infer_and_print(const redoubt::parameters<Net>& weights, redoubt::workspace<Net>& space, const float (&image)[784],
                     writer<Put>& out) {
    redoubt::state<Net> memory;
    const auto answer = redoubt::infer<Net>(weights, memory, image, space);
    out << "answer " << Net::number_type::name.data() << ": class " << static_cast<std::size_t>(answer.top1())
        << (answer.status.trustworthy() ? ", trustworthy" : ", not trustworthy") << ", logits";
    for (float logit : answer.logits) (out << " ").word(redoubt::to_word(logit));
    out << "\nparameters " << redoubt::parameter_bytes<Net> << " bytes, workspace " << redoubt::workspace_bytes<Net>
        << " bytes\n";
}

}  // namespace cortex_m
