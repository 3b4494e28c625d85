// SPDX-License-Identifier: MIT
// A network under test: its parameters, its fault-free answers, and trials on it.
#pragma once

#include <redoubt/campaign/parallel.hpp>
#include <redoubt/campaign/trial.hpp>
#include <redoubt/fault/features.hpp>
#include <redoubt/fault/weights.hpp>
#include <redoubt/harden/scrub.hpp>
#include <redoubt/nn/run.hpp>

#include <bit>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace redoubt::campaign::inline v1 {

/// What campaigns need of a network, whatever its type.
class subject {
public:
    virtual ~subject() = default;

    virtual std::string_view protection() const = 0;
    virtual std::size_t memory_bytes() const = 0;
    /// Bits that a cell's faults can strike: copies and replicas included for a rate, the primary alone for a count.
    virtual std::uint64_t site_bits(const cell_spec&) const = 0;
    /// Layer names in the order of slots.
    virtual std::vector<std::string_view> layer_names() const = 0;
    virtual golden_run golden(const prepared_images&, unsigned threads) const = 0;
    /// Every trial of a cell, by number; the same for any number of threads. Faults are recorded where `records` is given.
    virtual std::vector<trial_result> run(const cell_spec&, const prepared_images&, const golden_run&, unsigned threads,
                                          std::vector<fault_record>* records = nullptr) const = 0;
    /// Seconds of one fault-free inference without hooks.
    virtual double time_once(std::span<const float> image) const = 0;
};

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// A subject of one network type. Parameters are shared and only read; a thread that strikes weights has its own copy.
template <network_type Net>
class typed_subject final : public subject {
public:
    typed_subject(std::string name, std::unique_ptr<parameters<Net>> weights)
        : name_{std::move(name)}, weights_{std::move(weights)}, scratch_{std::make_unique<workspace<Net>>()} {}

    std::string_view protection() const override { return name_; }
    std::size_t memory_bytes() const override { return parameter_bytes<Net> + workspace_bytes<Net>; }

    std::uint64_t site_bits(const cell_spec& cell) const override {
        std::uint64_t bits = 0;
        if (cell.faults.count != 0)
            return cell.kind == fault_kind::weights ? fault::weight_bits<Net>(cell.faults, 0)
                                                    : fault::inference_bits<Net>(cell.faults, space_of(cell.kind), 0);
        if (cell.kind == fault_kind::weights) {
            for (int copy = -1; copy <= fault::extra_copies<Net>; ++copy) bits += fault::weight_bits<Net>(cell.faults, copy);
        } else {
            for (int r = 0; r < fault::replicas_of<Net>; ++r)
                bits += fault::inference_bits<Net>(cell.faults, space_of(cell.kind), r);
        }
        return bits;
    }

    std::vector<std::string_view> layer_names() const override {
        std::vector<std::string_view> names;
        for (int s = 0; s < Net::table.slot_count; ++s) names.push_back(Net::table.slots[static_cast<std::size_t>(s)].name.view());
        return names;
    }

    golden_run golden(const prepared_images& images, unsigned threads) const override {
        golden_run run;
        run.top1.resize(images.size());
        std::vector<char> bad(images.size());
        parallel_for(images.size(), threads, [] { return std::make_unique<workspace<Net>>(); },
                     [&](auto& space, std::size_t i) {
                         state<Net> memory;
                         const auto got = infer<Net>(*weights_, memory, images.image(i), *space);
                         run.top1[i] = got.top1();
                         bad[i] = usable(got) ? 0 : 1;
                     });
        for (std::size_t i = 0; i < images.size(); ++i) {
            run.right += run.top1[i] == images.labels[i] ? 1u : 0u;
            run.unusable += bad[i] != 0 ? 1u : 0u;
        }
        return run;
    }

    std::vector<trial_result> run(const cell_spec& cell, const prepared_images& images, const golden_run& golden,
                                  unsigned threads, std::vector<fault_record>* records) const override {
        std::vector<trial_result> results(static_cast<std::size_t>(cell.trials));
        std::vector<std::vector<fault_record>> recorded(records != nullptr ? results.size() : 0);
        parallel_for(results.size(), threads, [&] { return worker{*this, cell}; },
                     [&](worker& w, std::size_t t) {
                         auto* const to = records != nullptr ? &recorded[t] : nullptr;
                         const int trial = static_cast<int>(t);
                         results[t] = cell.kind == fault_kind::weights ? w.strike_weights(cell, images, golden, trial, to)
                                                                       : w.strike_inferences(cell, images, golden, trial, to);
                     });
        for (const auto& some : recorded) records->insert(records->end(), some.begin(), some.end());
        return results;
    }

    double time_once(std::span<const float> image) const override {
        state<Net> memory;
        const auto start = std::chrono::steady_clock::now();
        const auto got = infer<Net>(*weights_, memory, image, *scratch_);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        static_cast<void>(got);
        return taken.count();
    }

private:
    static fault::inference_space space_of(fault_kind kind) {
        return kind == fault_kind::features ? fault::inference_space::features : fault::inference_space::activations;
    }
    static bool usable(const answer<Net>& got) {
        for (float v : got.logits)
            if (!(v - v == 0.0f)) return false;
        return true;
    }

    /// What one thread needs.
    struct worker {
        const parameters<Net>& shared;
        std::unique_ptr<parameters<Net>> own;
        std::unique_ptr<workspace<Net>> space = std::make_unique<workspace<Net>>();
        state<Net> memory{};
        std::vector<std::uint64_t> chosen;
        std::vector<fault::weight_fault> flipped;
        std::vector<fault::inference_fault> faults{std::vector<fault::inference_fault>(4096)};
        std::vector<kernel::output_fault> in_order{std::vector<kernel::output_fault>(4096)};

        worker(const typed_subject& of, const cell_spec& cell) : shared{*of.weights_}, chosen(cell.faults.count) {
            if (cell.kind == fault_kind::weights) own = std::make_unique<parameters<Net>>(shared);
        }

        void count(trial_result& r, const answer<Net>& got, std::size_t image, const prepared_images& images,
                   const golden_run& golden) const {
            const int top = got.top1();
            r.right += top == images.labels[image] ? 1u : 0u;
            r.changed += top != golden.top1[image] ? 1u : 0u;
            r.unusable += usable(got) ? 0u : 1u;
            const fault_counters seen = got.status.total();
            r.detected += seen.detected;
            r.corrected += seen.corrected;
            r.uncorrected += seen.uncorrected;
            r.out_of_range += seen.out_of_range;
        }

        trial_result strike_weights(const cell_spec& cell, const prepared_images& images, const golden_run& golden,
                                    int trial, std::vector<fault_record>* records) {
            flipped.clear();
            fault::draw_weights<Net>(cell.seed, static_cast<std::uint64_t>(trial), cell.faults, chosen,
                                     [&](const fault::weight_fault& f) { flipped.push_back(f); });
            trial_result r;
            r.faults = flipped.size();
            for (fault::weight_fault& f : flipped) {
                fault::apply<Net>(*own, f);
                if (records != nullptr)
                    records->push_back({trial, -1, f.copy, Net::table.slots[static_cast<std::size_t>(f.slot)].name.view(),
                                        f.word, f.bit, f.before, f.after});
            }
            for (std::size_t i = 0; i < images.size(); ++i)
                count(r, infer<Net>(*own, memory, images.image(i), *space), i, images, golden);
            // the same flips in reverse order restore every word
            for (auto f = flipped.rbegin(); f != flipped.rend(); ++f) fault::apply<Net>(*own, *f);
            return r;
        }

        trial_result strike_inferences(const cell_spec& cell, const prepared_images& images, const golden_run& golden,
                                       int trial, std::vector<fault_record>* records) {
            trial_result r;
            for (std::size_t i = 0; i < images.size(); ++i) {
                fault::bit_flips policy{faults, in_order};
                const auto draw = [&] {
                    fault::draw_inference<Net>(cell.seed, static_cast<std::uint64_t>(trial), static_cast<std::uint32_t>(i),
                                               cell.faults, space_of(cell.kind), chosen, policy);
                };
                draw();
                if (policy.asked() > policy.size()) {
                    faults.resize(policy.asked());
                    in_order.resize(policy.asked());
                    policy = fault::bit_flips{faults, in_order};
                    draw();
                }
                r.faults += policy.size();
                if (records != nullptr)
                    for (const fault::inference_fault& f : policy.faults()) record(*records, trial, static_cast<int>(i), f);
                count(r, infer<Net>(shared, memory, images.image(i), *space, policy), i, images, golden);
            }
            return r;
        }

        static void record(std::vector<fault_record>& to, int trial, int image, const fault::inference_fault& f) {
            const step& s = Net::table.steps[static_cast<std::size_t>(f.step)];
            const std::string_view layer =
                s.slot < 0 ? std::string_view{"-"} : Net::table.slots[static_cast<std::size_t>(s.slot)].name.view();
            to.push_back({trial, image, s.replica, layer, f.where.output, std::countr_zero(f.where.mask), 0, 0});
        }
    };

    std::string name_;
    std::unique_ptr<parameters<Net>> weights_;
    std::unique_ptr<workspace<Net>> scratch_;
};

}  // namespace redoubt::campaign::inline REDOUBT_ABI
