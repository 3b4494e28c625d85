// SPDX-License-Identifier: MIT
// One network in one number with all its presets, behind an interface that does not name the type.
#pragma once

#include <redoubt/app/presets.hpp>
#include <redoubt/campaign/subject.hpp>
#include <redoubt/io/checkpoint.hpp>

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
    virtual shape input() const = 0;
    virtual int classes() const = 0;
    /// What a checkpoint of the network holds.
    virtual std::vector<io::expected_layer> layers() const = 0;
    /// Weights out of a checkpoint.
    virtual result<void> load(const io::tensor_file& file, std::string_view source) = 0;
    /// Scales and bounds from training images, then the presets named. Call after load().
    virtual void prepare(const campaign::prepared_images& training, std::span<const std::string> protections,
                         unsigned threads) = 0;
    /// A preset that prepare() made, or null.
    virtual const campaign::subject* find(std::string_view protection) const = 0;
    /// Fault-free outputs of one image, unprotected. Call after prepare().
    virtual std::vector<float> outputs(std::span<const float> image) const = 0;
};

/// Makes an engine.
using engine_maker = std::unique_ptr<engine> (*)();

/// Engines that generated translation units have announced, in the order of their names.
std::vector<engine_maker>& announced_engines();

}  // namespace redoubt::app::inline v1

namespace redoubt::app::inline REDOUBT_ABI {

/// The engine of one network type, given in float32 without protections.
template <network_type Net, number N>
    requires(std::same_as<typename Net::number_type, float32>)
class typed_engine final : public engine {
    using plain = with_number<Net, N>;

public:
    explicit typed_engine(std::string model) : model_{std::move(model)} {}

    std::string_view model() const override { return model_; }
    std::string_view number() const override { return N::name; }
    shape input() const override { return Net::input_shape; }
    int classes() const override { return Net::outputs; }
    std::vector<io::expected_layer> layers() const override { return io::expected_layers<Net>(); }

    result<void> load(const io::tensor_file& file, std::string_view source) override {
        return io::load<Net>(file, source, *weights_);
    }

    void prepare(const campaign::prepared_images& training, std::span<const std::string> protections,
                 unsigned threads) override {
        const auto seen = observe_all<Net>(*weights_, training, threads);
        auto converted = std::make_unique<parameters<plain>>();
        convert<Net, plain>(*weights_, *seen, *converted);
        const auto own = observe_all<plain>(*converted, training, threads);
        [&]<std::size_t... P>(std::index_sequence<P...>) {
            (prepare_one<P>(*seen, *own, protections), ...);
        }(std::make_index_sequence<protection_names.size()>{});
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
    /// Minimum and maximum do not depend on the order of images, so shards may run on any thread.
    template <network_type Some>
    static std::unique_ptr<calibration<Some>> observe_all(const parameters<Some>& weights,
                                                          const campaign::prepared_images& images, unsigned threads) {
        constexpr std::size_t shards = 16;
        std::vector<calibration<Some>> parts(shards);
        campaign::parallel_for(shards, threads, [] { return std::make_unique<workspace<Some>>(); },
                               [&](auto& space, std::size_t shard) {
                                   for (std::size_t i = shard; i < images.size(); i += shards)
                                       observe<Some>(weights, images.image(i), *space, parts[shard]);
                               });
        auto all = std::make_unique<calibration<Some>>();
        for (const auto& part : parts) all->merge(part);
        return all;
    }

    template <std::size_t P>
    void prepare_one(const calibration<Net>& seen, const calibration<plain>& own, std::span<const std::string> wanted) {
        if (std::find(wanted.begin(), wanted.end(), protection_names[P]) == wanted.end()) return;
        using hardened = typename preset<plain, P>::type;
        auto weights = std::make_unique<parameters<hardened>>();
        convert<Net, hardened>(*weights_, seen, *weights);
        set_bounds<plain, hardened>(own, *weights);
        encode<hardened>(*weights);
        subjects_.push_back(std::make_unique<campaign::typed_subject<hardened>>(std::string{protection_names[P]},
                                                                               std::move(weights)));
    }

    std::string model_;
    std::unique_ptr<parameters<Net>> weights_ = std::make_unique<parameters<Net>>();
    std::unique_ptr<parameters<plain>> converted_;
    std::vector<std::unique_ptr<campaign::subject>> subjects_;
};

/// Announces an engine to the command line from the translation unit that makes it.
struct announcement {
    explicit announcement(engine_maker make) { announced_engines().push_back(make); }
};

}  // namespace redoubt::app::inline REDOUBT_ABI

namespace redoubt::app::inline v1 {

inline std::vector<engine_maker>& announced_engines() {
    static std::vector<engine_maker> makers;
    return makers;
}

}  // namespace redoubt::app::inline v1
