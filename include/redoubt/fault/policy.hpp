// SPDX-License-Identifier: MIT
// Bit flips during an inference, through the policy seam: in features (registers) and in stored activations (memory).
#pragma once

#include <redoubt/fault/space.hpp>
#include <redoubt/nn/policy.hpp>
#include <redoubt/nn/run.hpp>

#include <algorithm>
#include <span>

namespace redoubt::fault::inline v1 {

/// One fault of an inference. `where.step` of a memory fault is not used.
struct inference_fault {
    std::int32_t step = 0;       ///< step of the network's table
    bool in_memory = false;      ///< a stored activation; otherwise a register of the kernel
    kernel::output_fault where{};
    constexpr auto operator<=>(const inference_fault&) const = default;
};

/// The policy that flips the drawn bits. Faults are added in any order, then sorted once; storage is the caller's.
class bit_flips {
public:
    static constexpr bool active = true;

    /// Room for as many faults as both spans hold.
    bit_flips(std::span<inference_fault> faults, std::span<kernel::output_fault> in_order)
        : faults_{faults}, in_order_{in_order} {}

    /// False if there is no room left; the fault is then counted but not kept.
    bool add(const inference_fault& f) {
        if (asked_++ >= faults_.size() || asked_ > in_order_.size()) return false;
        faults_[asked_ - 1] = f;
        return true;
    }
    void clear() { asked_ = 0; }
    /// Call after the last add() and before the inference.
    void sort() {
        std::sort(faults_.begin(), faults_.begin() + static_cast<std::ptrdiff_t>(size()));
        for (std::size_t i = 0; i < size(); ++i) in_order_[i] = faults_[i].where;
    }
    std::size_t size() const { return std::min(asked_, std::min(faults_.size(), in_order_.size())); }
    /// Faults that were added, kept or not.
    std::size_t asked() const { return asked_; }
    std::span<const inference_fault> faults() const { return faults_.first(size()); }

    // ---- the fault_policy protocol
    kernel::fault_hook hook(site_path at) const {
        const auto [first, last] = of_step(at.step, false);
        return {in_order_.subspan(first, last - first)};
    }
    template <site S, class Word>
    void touch(std::span<Word> words, site_path at) const {
        if constexpr (S == site::stored_activation) {
            const auto [first, last] = of_step(at.step, true);
            for (std::size_t i = first; i < last; ++i) {
                Word& w = words[in_order_[i].output];
                w = changed(w, in_order_[i].change().bits);
            }
        }
    }

private:
    struct bounds { std::size_t first, last; };
    bounds of_step(int step, bool in_memory) const {
        const auto all = faults();
        const auto before = [](const inference_fault& f, std::pair<int, bool> at) {
            return f.step != at.first ? f.step < at.first : f.in_memory < at.second;
        };
        const auto from = std::lower_bound(all.begin(), all.end(), std::pair{step, in_memory}, before);
        auto to = from;
        while (to != all.end() && to->step == step && to->in_memory == in_memory) ++to;
        return {static_cast<std::size_t>(from - all.begin()), static_cast<std::size_t>(to - all.begin())};
    }

    std::span<inference_fault> faults_;
    std::span<kernel::output_fault> in_order_;
    std::size_t asked_ = 0;
};

}  // namespace redoubt::fault::inline v1
