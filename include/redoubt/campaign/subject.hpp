// SPDX-License-Identifier: MIT
// A network under test: its parameters, its fault-free answers, and trials on it.
#pragma once

#include <redoubt/campaign/cone.hpp>
#include <redoubt/campaign/outcome.hpp>
#include <redoubt/campaign/parallel.hpp>
#include <redoubt/fault/features.hpp>
#include <redoubt/fault/strata.hpp>
#include <redoubt/fault/weights.hpp>
#include <redoubt/harden/scrub.hpp>
#include <redoubt/nn/run.hpp>

#include <bit>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace redoubt::campaign::inline v1 {

/// Layer and bit of the one fault of a trial.
struct fault_place {
    int slot = -1;
    int bit = -1;
};

/// What campaigns need of a network, whatever its type.
class subject {
public:
    virtual ~subject() = default;

    virtual std::string_view protection() const = 0;
    virtual std::size_t memory_bytes() const = 0;
    /// Places that a cell's faults can strike (bits, for single flips): copies and replicas included for a rate, the primary
    /// alone for a count.
    virtual std::uint64_t site_bits(const cell_spec&) const = 0;
    /// Layer names in the order of slots.
    virtual std::vector<std::string_view> layer_names() const = 0;
    virtual golden_run golden(const prepared_images&, unsigned threads) const = 0;
    /// Runs these trials of a cell and hands over each; the results are the same for any number of threads, any order and
    /// any selection of trials. Faults are recorded, in the order of trials, where `records` is given.
    virtual void run(const cell_spec&, const prepared_images&, const golden_run&, unsigned threads, std::span<const int> trials,
                     const trial_sink& done, std::vector<fault_record>* records = nullptr) const = 0;
    /// Strikes recorded faults again, those of the parameters for all images, others for the image they name. An error where a
    /// record names a layer, word or image that is not there, or holds another word than it says.
    virtual result<trial_result> replay(fault_kind, std::span<const named_fault>, const prepared_images&, const golden_run&) const = 0;
    /// The strata of a stratified cell; empty for others.
    virtual cell_strata strata(const cell_spec&) const = 0;
    /// Where the single fault of a trial in the parameters strikes; -1 for a cell with other faults.
    virtual fault_place place_of(const cell_spec&, int trial) const = 0;
    /// Seconds of one fault-free inference without hooks.
    virtual double time_once(std::span<const float> image) const = 0;
};

/// Memory that the golden traces of one cell may take; images past it are inferred whole, with the same results.
inline constexpr std::size_t trace_budget = std::size_t{1} << 30;

}  // namespace redoubt::campaign::inline v1

namespace redoubt::campaign::inline REDOUBT_ABI {

/// A subject of one network type. Parameters are shared and only read; a thread that strikes weights has its own copy.
template <network_type Net>
class typed_subject final : public subject {
public:
    typed_subject(std::string name, std::unique_ptr<parameters<Net>> weights)
        : name_{std::move(name)}, weights_{std::move(weights)}, limits_{fault::limits_of<Net>(*weights_)},
          scratch_{std::make_unique<workspace<Net>>()} {}

    std::string_view protection() const override { return name_; }
    std::size_t memory_bytes() const override { return parameter_bytes<Net> + workspace_bytes<Net>; }

    std::uint64_t site_bits(const cell_spec& cell) const override {
        const fault::fault_spec spec = spec_of(cell);
        std::uint64_t bits = 0;
        if (in_parameters(cell.kind)) {
            bits = fault::weight_bits<Net>(spec, fault::impl::part_of_target(spec.strikes));
            if (spec.count != 0 || spec.strikes != fault::target::weights) return bits;
            for (int copy = 1; copy <= fault::extra_copies<Net>; ++copy) bits += fault::weight_bits<Net>(spec, copy);
            return bits + fault::weight_bits<Net>(spec, fault::code_bytes);
        }
        for (int r = 0; r < (spec.count != 0 ? 1 : fault::replicas_of<Net>); ++r)
            bits += fault::inference_bits<Net>(spec, space_of(cell.kind), r);
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
        run.scores.resize(images.size());
        run.outputs.resize(images.size() * outputs);
        run.seen.resize(images.size());
        std::vector<char> bad(images.size());
        parallel_for(images.size(), threads, [] { return std::make_unique<workspace<Net>>(); },
                     [&](auto& space, std::size_t i) {
                         state<Net> memory;
                         const auto got = infer<Net>(*weights_, memory, images.image(i), *space);
                         run.top1[i] = got.top1();
                         run.seen[i] = got.status.total();
                         run.scores[i] = score_of(got.logits, run.top1[i], gives_shares);
                         std::copy(got.logits.begin(), got.logits.end(), run.outputs.begin() + static_cast<std::ptrdiff_t>(i * outputs));
                         for (float v : got.logits) bad[i] = bad[i] != 0 || !(v - v == 0.0f) ? 1 : 0;
                     });
        for (std::size_t i = 0; i < images.size(); ++i) {
            run.right += run.top1[i] == images.labels[i] ? 1u : 0u;
            run.unusable += bad[i] != 0 ? 1u : 0u;
        }
        return run;
    }

    void run(const cell_spec& cell, const prepared_images& images, const golden_run& golden, unsigned threads,
             std::span<const int> trials, const trial_sink& done, std::vector<fault_record>* records) const override {
        const fault::fault_spec spec = spec_of(cell);
        const job what{cell, spec, images, golden, traces_for(cell, images, threads)};
        // Few faults a trial: many trials share an image's trace while it is in the cache.
        const std::size_t together = what.traces.empty() || !in_parameters(cell.kind) || spec.lasts ? 1 : 32;
        const std::size_t chunks = (trials.size() + together - 1) / together;
        std::vector<std::vector<fault_record>> recorded(records != nullptr ? chunks : 0);
        std::mutex handing_over;
        parallel_for(chunks, threads, [&] { return worker{*this, what}; }, [&](worker& w, std::size_t c) {
            const auto some = trials.subspan(c * together, std::min(together, trials.size() - c * together));
            std::vector<trial_result> results(some.size());
            w.run(some, results, records != nullptr ? &recorded[c] : nullptr);
            const std::lock_guard lock{handing_over};
            for (std::size_t t = 0; t < some.size(); ++t) done(some[t], results[t]);
        });
        for (const auto& some : recorded) records->insert(records->end(), some.begin(), some.end());
    }

    cell_strata strata(const cell_spec& cell) const override {
        if (cell.by != sampling::stratified) return {};
        const fault::strata_of<Net> layers{spec_of(cell)};
        const fault::strata all = layers.view();
        return {{all.words.begin(), all.words.end()}, all.per_word};
    }

    fault_place place_of(const cell_spec& cell, int trial) const override {
        const fault::fault_spec spec = spec_of(cell);
        if (!in_parameters(cell.kind) || spec.count != 1) return {};
        fault_place at;
        std::uint64_t chosen = 0;
        draw_trial(cell, spec, trial, {&chosen, 1}, [&](const fault::weight_fault& f) {
            if (at.slot < 0) at = {f.slot, f.bit};
        });
        return at;
    }

    result<trial_result> replay(fault_kind kind, std::span<const named_fault> faults, const prepared_images& images,
                                const golden_run& golden) const override {
        trial_result r;
        r.faults = faults.size();
        auto own = std::make_unique<parameters<Net>>(*weights_);
        const auto space = std::make_unique<workspace<Net>>();
        state<Net> memory;
        std::vector<fault::inference_fault> drawn;
        std::vector<int> image_of;
        for (const named_fault& f : faults) {
            const auto wrong = [&](std::string_view what) { return error{"layer "} << f.layer << " word " << f.word << ": " << what; };
            const int slot = slot_named(f.layer);
            if (in_parameters(kind)) {
                if (slot < 0) return wrong("there is no such layer");
                fault::weight_fault w;
                w.copy = f.copy;
                w.slot = slot;
                w.word = f.word;
                if (f.copy < fault::bound_words || f.copy > fault::extra_copies<Net>) return wrong("there is no such copy");
                if (w.word >= fault::impl::words_of<Net>(w.copy, w.slot)) return wrong("there is no such word");
                w.does.change = {0, f.after};
                fault::apply<Net>(*own, w);
                if (w.before != f.before) return wrong("the network does not hold the word that the record says was struck");
                continue;
            }
            if (slot < 0 && f.layer != "-") return wrong("there is no such layer");
            fault::inference_fault d;
            d.in_memory = kind == fault_kind::activations;
            d.step = f.layer == "-" ? f.copy : step_of_slot(slot, f.copy);
            if (d.step < 0 || d.step >= Net::table.step_count) return wrong("there is no such step");
            const auto& s = Net::table.steps[static_cast<std::size_t>(d.step)];
            if (f.word >= static_cast<std::uint64_t>(s.struck_shape(d.in_memory).size())) return wrong("there is no such output");
            if (f.image < 0 || static_cast<std::size_t>(f.image) >= images.size()) return wrong("its image is not among --images");
            d.where.output = static_cast<std::uint32_t>(f.word);
            d.where.keep = f.before;
            d.where.mask = f.after;
            d.where.add = static_cast<std::int16_t>(f.add);
            d.where.unit = static_cast<std::int16_t>(f.unit);
            if (f.step >= 0) d.where.step = static_cast<std::uint32_t>(f.step);
            drawn.push_back(d);
            image_of.push_back(f.image);
        }
        for (std::size_t i = 0; i < images.size(); ++i) {
            std::vector<fault::inference_fault> here;
            for (std::size_t n = 0; n < drawn.size(); ++n)
                if (image_of[n] == static_cast<int>(i)) here.push_back(drawn[n]);
            std::vector<kernel::output_fault> order(here.size());
            std::vector<fault::inference_fault> kept(here.size());
            fault::bit_flips policy{kept, order};
            for (const auto& f : here) policy.add(f);
            policy.sort();
            const auto got = infer<Net>(*own, memory, images.image(i), *space, policy);
            count_outcome(r, got.logits, got.status.total(), gives_shares, i, images.labels[i], golden);
        }
        return r;
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
    static constexpr auto outputs = static_cast<std::size_t>(Net::outputs);
    static constexpr bool gives_shares = Net::output.words == word_kind::real;
    static constexpr bool has_cones = writes_once<Net> && !is_fast<typename Net::number_type>;

    static int slot_named(std::string_view name) {
        for (int s = 0; s < Net::table.slot_count; ++s)
            if (Net::table.slots[static_cast<std::size_t>(s)].name.view() == name) return s;
        return -1;
    }
    static int step_of_slot(int slot, int replica) {
        for (int i = 0; slot >= 0 && i < Net::table.step_count; ++i) {
            const step& s = Net::table.steps[static_cast<std::size_t>(i)];
            if (s.slot == slot && s.replica == replica) return i;
        }
        return -1;
    }
    static fault::inference_space space_of(fault_kind kind) {
        if (kind == fault_kind::macs) return fault::inference_space::accumulators;
        return kind == fault_kind::features ? fault::inference_space::features : fault::inference_space::activations;
    }
    static fault::fault_spec spec_of(const cell_spec& cell) {
        fault::fault_spec spec = cell.faults;
        if (in_parameters(cell.kind)) spec.strikes = static_cast<fault::target>(cell.kind);
        if (cell.by != sampling::uniform) spec.count = 1;
        return spec;
    }

    /// The parameter faults of a trial.
    template <class Sink>
    void draw_trial(const cell_spec& cell, const fault::fault_spec& spec, int trial, std::span<std::uint64_t> chosen, Sink&& sink) const {
        const auto t = static_cast<std::uint64_t>(trial);
        if (cell.by == sampling::uniform) return fault::draw_weights<Net>(cell.seed, t, spec, chosen, sink, &limits_);
        if (cell.by == sampling::exhaustive) return fault::strike_place<Net>(cell.seed, spec, t, sink, &limits_);
        fault::strike_stratum<Net>(cell.seed, t, spec, sink, &limits_);
    }

    struct job {
        const cell_spec& cell;
        const fault::fault_spec& spec;
        const prepared_images& images;
        const golden_run& golden;
        std::vector<trace<Net>> traces;  ///< of the first images
    };

    /// Traces pay where faults are few.
    std::vector<trace<Net>> traces_for(const cell_spec& cell, const prepared_images& images, unsigned threads) const {
        std::vector<trace<Net>> traces;
        if constexpr (has_cones) {
            const fault::fault_spec spec = spec_of(cell);
            const bool local = cell.kind != fault_kind::scales && cell.kind != fault_kind::bounds;
            const double expected = spec.count != 0 ? static_cast<double>(spec.count)
                                                    : spec.rate * static_cast<double>(site_bits(cell));
            if (!local || expected > 16.0 || expected == 0.0) return traces;
            traces.resize(std::min(images.size(), trace_budget / trace_bytes<Net>));
            parallel_for(traces.size(), threads, [] { return std::make_unique<overlay<Net>>(); },
                         [&](auto& space, std::size_t i) { traces[i] = record_trace<Net>(*weights_, images.image(i), *space); });
        }
        return traces;
    }

    /// What one thread needs.
    struct worker {
        const typed_subject& of;
        const job& what;
        std::unique_ptr<parameters<Net>> own;
        std::unique_ptr<workspace<Net>> space;
        std::unique_ptr<overlay<Net>> over;
        state<Net> memory{};
        std::vector<std::uint64_t> chosen;
        std::vector<std::vector<fault::weight_fault>> struck;
        std::vector<fault::inference_fault> faults{std::vector<fault::inference_fault>(4096)};
        std::vector<kernel::output_fault> in_order{std::vector<kernel::output_fault>(4096)};

        worker(const typed_subject& s, const job& w) : of{s}, what{w}, chosen(w.spec.count) {
            if (in_parameters(w.cell.kind)) own = std::make_unique<parameters<Net>>(*s.weights_);
            if (w.traces.size() < w.images.size()) space = std::make_unique<workspace<Net>>();
            if (!w.traces.empty()) over = std::make_unique<overlay<Net>>();
        }

        void run(std::span<const int> trials, std::span<trial_result> results, std::vector<fault_record>* records) {
            if (in_parameters(what.cell.kind)) strike_parameters(trials, results, records);
            else
                for (std::size_t t = 0; t < trials.size(); ++t) results[t] = strike_inferences(trials[t], records);
        }

    private:
        void count(trial_result& r, const answer<Net>& got, std::size_t image) const {
            count_outcome(r, got.logits, got.status.total(), gives_shares, image, what.images.labels[image], what.golden);
        }

        void strike_parameters(std::span<const int> trials, std::span<trial_result> results, std::vector<fault_record>* records) {
            struck.resize(std::max(struck.size(), trials.size()));
            for (std::size_t t = 0; t < trials.size(); ++t) {
                auto& faults_of = struck[t];
                faults_of.clear();
                of.draw_trial(what.cell, what.spec, trials[t], chosen, [&](const fault::weight_fault& f) { faults_of.push_back(f); });
                results[t] = {};
                results[t].faults = faults_of.size();
                if (records == nullptr) continue;
                strike(faults_of);
                for (const fault::weight_fault& f : faults_of)
                    records->push_back({trials[t], -1, f.copy, Net::table.slots[static_cast<std::size_t>(f.slot)].name.view(),
                                        f.word, f.bit, -1, 0, 0, f.before, f.after});
                take_back(faults_of);
            }
            // Alone, a trial is struck once; together, trials take turns at each image.
            if (trials.size() == 1) strike(struck[0]);
            for (std::size_t i = 0; i < what.images.size(); ++i) {
                for (std::size_t t = 0; t < trials.size(); ++t) {
                    if (trials.size() > 1) strike(struck[t]);
                    infer_parameters(results[t], struck[t], i);
                    if (trials.size() > 1) take_back(struck[t]);
                }
            }
            if (trials.size() == 1) take_back(struck[0]);
        }
        void strike(std::vector<fault::weight_fault>& some) {
            for (fault::weight_fault& f : some) fault::apply<Net>(*own, f);
        }
        void take_back(const std::vector<fault::weight_fault>& some) {
            for (auto f = some.rbegin(); f != some.rend(); ++f) fault::undo<Net>(*own, *f);
        }
        /// The fault-free answer, which is that of an inference that nothing strikes.
        void count_golden(trial_result& r, std::size_t i) const {
            count_outcome(r, std::span{what.golden.outputs}.subspan(i * outputs, outputs), what.golden.seen[i], gives_shares, i,
                          what.images.labels[i], what.golden);
        }
        void infer_parameters(trial_result& r, const std::vector<fault::weight_fault>& some, std::size_t i) {
            if (some.empty()) return count_golden(r, i);
            if constexpr (has_cones) {
                if (i < what.traces.size()) {
                    campaign::strike<Net> where;
                    for (const fault::weight_fault& f : some) mark(where, f);
                    return count(r, infer_struck<Net>(*own, what.traces[i], where, *over), i);
                }
            }
            count(r, infer<Net>(*own, memory, what.images.image(i), *space), i);
        }

        trial_result strike_inferences(int trial, std::vector<fault_record>* records) {
            trial_result r;
            for (std::size_t i = 0; i < what.images.size(); ++i) {
                fault::bit_flips policy{faults, in_order};
                const auto draw = [&] {
                    fault::draw_inference<Net>(what.cell.seed, static_cast<std::uint64_t>(trial), static_cast<std::uint32_t>(i),
                                               what.spec, space_of(what.cell.kind), chosen, policy, &of.limits_);
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
                if (policy.size() == 0) {
                    count_golden(r, i);
                    continue;
                }
                if constexpr (has_cones) {
                    if (i < what.traces.size()) {
                        campaign::strike<Net> where;
                        where.faults = policy.faults();
                        count(r, infer_struck<Net>(*of.weights_, what.traces[i], where, *over), i);
                        continue;
                    }
                }
                count(r, infer<Net>(*of.weights_, memory, what.images.image(i), *space, policy), i);
            }
            return r;
        }

        static void record(std::vector<fault_record>& to, int trial, int image, const fault::inference_fault& f) {
            const step& s = Net::table.steps[static_cast<std::size_t>(f.step)];
            const std::string_view layer =
                s.slot < 0 ? std::string_view{"-"} : Net::table.slots[static_cast<std::size_t>(s.slot)].name.view();
            const std::uint32_t bits = f.where.mask | ~f.where.keep;
            to.push_back({trial, image, s.slot < 0 ? f.step : s.replica, layer, f.where.output, bits == 0 ? 0 : std::countr_zero(bits),
                          f.where.step == kernel::output_fault::feature ? -1 : static_cast<int>(f.where.step), f.where.add,
                          f.where.unit, f.where.keep, f.where.mask});
        }
    };

    std::string name_;
    std::unique_ptr<parameters<Net>> weights_;
    fault::value_limits<Net> limits_;
    std::unique_ptr<workspace<Net>> scratch_;
};

}  // namespace redoubt::campaign::inline REDOUBT_ABI
