// SPDX-License-Identifier: MIT
// One network in one number with all its presets, behind an interface that does not name the type.
#pragma once

#include <redoubt/app/presets.hpp>
#include <redoubt/analyze/group_scores.hpp>
#include <redoubt/app/announced.hpp>
#include <redoubt/campaign/subject.hpp>
#include <redoubt/io/checkpoint.hpp>
#include <redoubt/nn/channel_ranges.hpp>
#include <redoubt/nn/neuron_ranges.hpp>
#include <redoubt/nn/permute.hpp>
#include <redoubt/train/convert_and_store.hpp>

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace redoubt::app::inline v1 {

/// A network and number of the command line.
class engine {
public:
    virtual ~engine() = default;

    virtual std::string_view model() const = 0;
    virtual std::string_view number() const = 0;
    /// Names of the presets that are compiled for it.
    virtual std::vector<std::string> protections() const = 0;
    virtual shape input() const = 0;
    virtual int classes() const = 0;
    /// What a checkpoint of the network holds.
    virtual std::vector<io::expected_layer> layers() const = 0;
    /// Weights out of a checkpoint.
    virtual result<void> load(const io::tensor_file& file, std::string_view source) = 0;
    /// Whether the order of channels counts for a preset.
    virtual bool counts_channels(std::string_view protection) const = 0;
    /// Puts channels in the order of a ranking, where their order counts, instead of that of their filters' lengths. Call after load(). Errors: a ranking of
    /// another network, or of other weights.
    virtual result<void> order_by(const analyze::ranking& r) = 0;
    /// Scales and bounds from training images, then the presets named. Call after load().
    virtual void prepare(const campaign::prepared_images& training, std::span<const std::string> protections,
                         unsigned threads) = 0;
    /// A preset that prepare() made, or null.
    virtual const campaign::subject* find(std::string_view protection) const = 0;
    /// Fault-free outputs of one image, unprotected. Call after prepare().
    virtual std::vector<float> outputs(std::span<const float> image) const = 0;
};

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

/// The engine of one network type, given in float32 without protections, with a pack of presets.
template <network_type Net, number N, class Presets = usual_presets>
    requires(std::same_as<typename Net::number_type, float32>)
class typed_engine final : public engine {
    using plain = with_number<Net, N>;
    using apart = with_norms_apart<Net>;
    template <class P>
    static consteval bool has_gains() {
        if constexpr (is_for<P, N>) return redoubt::detail::any_gains<typename P::template apply<plain>>;
        else return false;
    }
    static constexpr bool keeps_norms = []<class... P>(pack<P...>) { return (has_gains<P>() || ...); }(Presets{});
    static_assert(have_names_of_their_own(Presets{}), "redoubt: two presets have the same name");
    static_assert(have_none(Presets{}), "redoubt: presets are compared with presets::none, which is not among them");

public:
    explicit typed_engine(std::string model) : model_{std::move(model)} {}

    std::string_view model() const override { return model_; }
    std::string_view number() const override { return N::name; }
    std::vector<std::string> protections() const override {
        std::vector<std::string> names;
        for_each_preset([&]<class P>(type_tag<P>) { names.emplace_back(P::name); });
        return names;
    }
    shape input() const override { return Net::input_shape; }
    int classes() const override { return Net::outputs; }
    std::vector<io::expected_layer> layers() const override { return io::expected_layers<Net>(); }

    result<void> load(const io::tensor_file& file, std::string_view source) override {
        if constexpr (keeps_norms) {
            apart_ = std::make_unique<parameters<apart>>();
            if (const result<void> r = io::load<apart>(file, source, *apart_); !r) return r;
        }
        return io::load<Net>(file, source, *weights_);
    }

    bool counts_channels(std::string_view protection) const override {
        bool counts = false;
        for_each_preset([&]<class P>(type_tag<P>) { counts = counts || (is_ranked<P> && P::name == protection); });
        return counts;
    }
    result<void> order_by(const analyze::ranking& r) override {
        if (auto wrong = analyze::difference(r.of, analyze::identity_of<Net>(*weights_))) return error{"the ranking cannot be used: "} << wrong->text();
        auto scores = analyze::group_scores<Net>(r);
        if (!scores) return scores.reason();
        scores_ = std::move(*scores);
        return {};
    }

    void prepare(const campaign::prepared_images& training, std::span<const std::string> protections,
                 unsigned threads) override {
        const auto seen = observe_all<Net>(*weights_, training, threads);
        auto converted = std::make_unique<parameters<plain>>();
        convert<Net, plain>(*weights_, *seen, *converted);
        const auto own = observe_all<plain>(*converted, training, threads);
        for_each_preset([&]<class P>(type_tag<P>) { prepare_one<P>(*seen, *own, training, protections, threads); });
        converted_ = std::move(converted);
    }

    const campaign::subject* find(std::string_view protection) const override {
        for (const auto& s : subjects_)
            if (s->protection() == protection) return s.get();
        return nullptr;
    }

    std::vector<float> outputs(std::span<const float> image) const override {
        const auto space = std::make_unique<workspace<plain>>();
        state<plain> memory;
        const auto got = infer<plain>(*converted_, memory, image, *space);
        return {got.logits.begin(), got.logits.end()};
    }

private:
    /// body(type_tag<preset>) for those that are for the number.
    template <class Body>
    static void for_each_preset(Body&& body) {
        const auto one = [&]<class P>(type_tag<P> tag) {
            if constexpr (is_for<P, N>) body(tag);
        };
        [&]<class... P>(pack<P...>) { (one(type_tag<P>{}), ...); }(Presets{});
    }

    /// What one image after the other adds to a Seen by see(image, workspace, seen). Minimum and maximum do not depend on the order of images, so
    /// shards may run on any thread.
    template <network_type Some, class Seen, class See>
    static std::unique_ptr<Seen> observed(const campaign::prepared_images& images, unsigned threads, See&& see) {
        constexpr std::size_t shards = 16;
        std::vector<Seen> parts(shards);
        campaign::parallel_for(shards, threads, [] { return std::make_unique<workspace<Some>>(); },
                               [&](auto& space, std::size_t shard) {
                                   for (std::size_t i = shard; i < images.size(); i += shards) see(images.image(i), *space, parts[shard]);
                               });
        auto all = std::make_unique<Seen>();
        for (const auto& part : parts) all->merge(part);
        return all;
    }
    template <network_type Some>
    static std::unique_ptr<calibration<Some>> observe_all(const parameters<Some>& weights, const campaign::prepared_images& images, unsigned threads) {
        return observed<Some, calibration<Some>>(images, threads, [&](auto image, auto& space, auto& seen) { observe<Some>(weights, image, space, seen); });
    }

    /// The lengths of filters, squared, by group.
    std::vector<std::vector<double>> filter_lengths() const {
        std::vector<std::vector<double>> norms;
        for (int g = 0; g < channel_groups_of<Net>.count; ++g) norms.emplace_back(static_cast<std::size_t>(channel_groups_of<Net>.channels[static_cast<std::size_t>(g)]));
        for (int s = 0; s < Net::table.slot_count; ++s)
            if (const int group = channel_groups_of<Net>.of_slot(s); group >= 0) add_filter_norms<Net>(*weights_, s, norms[static_cast<std::size_t>(group)]);
        return norms;
    }
    /// The network with the channels first that count most.
    std::unique_ptr<parameters<Net>> ranked() const {
        const auto order = analyze::group_orders(scores_.empty() ? filter_lengths() : scores_);
        auto permuted = std::make_unique<parameters<Net>>();
        permute_channels<Net>(*weights_, [&](int group) { return std::span<const std::uint16_t>{order[static_cast<std::size_t>(group)]}; }, *permuted);
        return permuted;
    }

    template <class P>
    void prepare_one(const calibration<Net>& seen, const calibration<plain>& own, const campaign::prepared_images& training,
                     std::span<const std::string> wanted, unsigned threads) {
        if (std::find(wanted.begin(), wanted.end(), P::name) == wanted.end()) return;
        using hardened = typename P::template apply<plain>;
        std::unique_ptr<parameters<Net>> own_order;
        if constexpr (is_ranked<P>) {
            static_assert(!redoubt::detail::any_gains<hardened>, "redoubt: channels are ranked and put in order with their norms folded");
            own_order = ranked();
        }
        const parameters<Net>& floats = own_order ? *own_order : *weights_;
        auto weights = std::make_unique<parameters<hardened>>();
        if constexpr (redoubt::detail::any_gains<hardened>) {
            // its words are not those of the plain network, so bounds are of what it makes itself; they are open until then
            train::convert_and_store<apart, hardened>(*apart_, calibration<apart>{}, *weights);
            encode<hardened>(*weights);
            set_bounds<hardened, hardened>(*observe_all<hardened>(*weights, training, threads), *weights);
        } else {
            train::convert_and_store<Net, hardened>(floats, seen, *weights);
            set_bounds<plain, hardened>(own, *weights);
        }
        std::unique_ptr<parameters<plain>> bare;  // what is observed: the network in its order, unprotected
        if constexpr (has_intervals<hardened> || has_neuron_bounds<hardened>) {
            bare = std::make_unique<parameters<plain>>();
            convert<Net, plain>(floats, seen, *bare);
        }
        if constexpr (has_intervals<hardened>) {
            const auto channels = observed<plain, channel_ranges<plain>>(
                training, threads, [&](auto image, auto& space, auto& ranges) { observe_channels<plain>(*bare, image, space, ranges); });
            set_intervals<plain, hardened>(*channels, *weights);
        }
        if constexpr (has_neuron_bounds<hardened>) {
            const auto neurons = observed<plain, neuron_ranges<plain>>(
                training, threads, [&](auto image, auto& space, auto& ranges) { observe_neurons<plain>(*bare, image, space, ranges); });
            set_neuron_bounds<plain, hardened>(*neurons, *weights);
        }
        encode<hardened>(*weights);
        subjects_.push_back(std::make_unique<campaign::typed_subject<hardened>>(std::string{P::name}, std::move(weights)));
    }

    std::string model_;
    std::unique_ptr<parameters<Net>> weights_ = std::make_unique<parameters<Net>>();
    std::vector<std::vector<double>> scores_;  ///< of a ranking, by group of channels; empty: lengths of filters
    std::unique_ptr<parameters<apart>> apart_;  ///< where a preset keeps norms apart
    std::unique_ptr<parameters<plain>> converted_;
    std::vector<std::unique_ptr<campaign::subject>> subjects_;
};

}  // namespace redoubt::app::inline REDOUBT_ABI
