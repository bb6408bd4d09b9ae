#include <algorithm>

#include "sim/run/newer.hpp"
#include "sim/run/stage.hpp"
#include "sim/scenario/words.hpp"

// What happens to machines and their daemons.
namespace wigwag::sim {

using Kind = Happening::Kind;

// Chosen when it happens, from who is there then.
void Stage::perform(const Happening& happening, const std::string& name) {
  Rng rng = rng_for(seed_, name);
  const double at = to_seconds(world_.instant() - facts_.began);
  const double rolled = at + to_seconds(happening.spread);
  double until = rolled;
  if (happening.lasting) until = rolled + to_seconds(*happening.lasting);
  else if (happening.kind == Kind::flap) until = to_seconds(scenario_.duration - scenario_.calm);
  else if (stays(happening.kind)) until = never_ends;
  played_.push_back({at, until, describe(happening)});
  disturbed();
  if (happening.kind == Kind::join) {
    one_by_one(happening, Nodes(happening.who.count.value_or(1)), [this, happening](std::size_t) { join(happening, 0); });
    return;
  }
  const auto here = [this](std::size_t node) { return present(node); };
  Nodes chosen = cast_.choose(happening.who, rng, here);
  std::erase_if(chosen, [&](std::size_t node) { return node >= world_.size(); });
  if (happening.kind == Kind::partition) {
    part(happening, chosen);
  } else if (happening.kind == Kind::one_way) {
    Nodes others = cast_.choose(happening.other, rng, here);
    std::erase_if(others, [&](std::size_t node) { return node >= world_.size(); });
    deafen(happening, chosen, others);
  } else if (happening.kind == Kind::weather) {
    set_weather(happening, chosen);
  } else if (happening.kind == Kind::swap) {
    swap_addresses(chosen);
  } else {
    one_by_one(happening, chosen, [this, happening](std::size_t node) { on_machine(happening, node); });
  }
}

// Whether it goes on being a fault when nobody undoes it, so that a time line shows it to the end.
bool Stage::stays(Kind kind) {
  switch (kind) {
    case Kind::crash:
    case Kind::reboot:
    case Kind::pause:
    case Kind::busy:
    case Kind::cut:
    case Kind::one_way:
    case Kind::partition:
    case Kind::weather:
    case Kind::disk_fails:
    case Kind::turn_hostile: return true;
    case Kind::restart:
    case Kind::leave:
    case Kind::join:
    case Kind::clock:
    case Kind::move:
    case Kind::rebind:
    case Kind::flap:
    case Kind::swap:
    case Kind::upgrade: return false;
  }
  return false;
}

void Stage::one_by_one(const Happening& happening, const Nodes& nodes, const std::function<void(std::size_t)>& act) {
  const auto steps = static_cast<std::int64_t>(std::max<std::size_t>(nodes.size(), 2) - 1);
  for (std::size_t index = 0; index < nodes.size(); ++index) {
    const Duration later = happening.spread * static_cast<std::int64_t>(index) / steps;
    const auto node = nodes[index];
    if (later == Duration::zero()) act(node);
    else put(world_.instant() + later, Sort::play, [act, node] { act(node); });
  }
}

void Stage::on_machine(const Happening& happening, std::size_t node) {
  disturbed();
  switch (happening.kind) {
    case Kind::crash:
    case Kind::reboot:
      if (!happening.lasting) facts_.machines[node].expected = false;
      take_down(node, happening.kind == Kind::reboot);
      put_undo(happening, [this, node, disk = happening.disk] { bring_up(node, disk); });
      return;
    case Kind::restart: return restart(node, happening.disk, false);
    case Kind::upgrade: return restart(node, happening.disk, true);
    case Kind::leave: return leave(node);
    case Kind::pause: return pause(node, happening);
    case Kind::busy: return busy(node, happening);
    case Kind::cut:
      if (!happening.lasting) facts_.machines[node].expected = false;
      cut(node);
      put_undo(happening, [this, node] { mend(node); });
      return;
    case Kind::clock: {
      const auto jump = std::chrono::duration_cast<std::chrono::seconds>(happening.amount).count();
      set_clock(node, plights_[node].clock_s + jump);
      put_undo(happening, [this, node, jump] { set_clock(node, plights_[node].clock_s - jump); });
      return;
    }
    case Kind::move:
      world_.move(node);
      audience_.moved(node);
      return;
    case Kind::rebind: return world_.rebind(node);
    case Kind::disk_fails: return fail_disk(node, happening);
    case Kind::flap: return flap(node, happening, ++flaps_begun_);
    case Kind::turn_hostile: return turn(node, *happening.behaviour, &happening);
    case Kind::join:
    case Kind::one_way:
    case Kind::partition:
    case Kind::weather:
    case Kind::swap: return;             // these are about more than one machine
  }
}

void Stage::take_down(std::size_t node, bool power) {
  ++plights_[node].down;
  plights_[node].pauses = 0;             // a new process stands still for nobody
  tell(node);
  if (power) world_.reboot(node);
  else world_.kill(node);
}

// Comes up with the end of the last thing that held it down. Who has left the network does not come back.
void Stage::bring_up(std::size_t node, DiskFate disk) {
  disturbed();
  Plight& plight = plights_[node];
  change_disk(node, disk);
  if (--plight.down > 0 || plight.condition.leaving) return;
  tell(node);
  world_.start(node);
}

void Stage::restart(std::size_t node, DiskFate disk, bool newer) {
  if (newer) world_.set_meddler(node, make_newer());
  if (!present(node)) return;
  take_down(node, false);
  bring_up(node, disk);
}

void Stage::change_disk(std::size_t node, DiskFate disk) {
  switch (disk) {
    case DiskFate::kept: return;
    case DiskFate::lost:
      ++facts_.machines[node].disks;
      return world_.wipe_disk(node);
    case DiskFate::old:
      ++facts_.machines[node].disks;
      return world_.restore_disk(node, plights_[node].old_disk);
  }
}

void Stage::leave(std::size_t node) {
  if (!present(node)) return;
  plights_[node].condition.leaving = true;
  facts_.machines[node].expected = false;
  facts_.machines[node].removed = true;
  tell(node);
  world_.leave(node);
  see_off(node);
}

// As the daemon does, it ends once its goodbye has been told.
void Stage::see_off(std::size_t node) {
  if (!world_.running(node)) return;
  if (world_.has_left(node)) return world_.kill(node);
  put(world_.instant() + milliseconds(100), Sort::upkeep, [this, node] { see_off(node); });
}

void Stage::pause(std::size_t node, const Happening& happening) {
  if (!world_.running(node)) return;
  if (!happening.lasting) facts_.machines[node].expected = false;
  ++plights_[node].pauses;
  tell(node);
  world_.pause(node);
  put_undo(happening, [this, node] {
    disturbed();
    auto& pauses = plights_[node].pauses;
    if (pauses == 0 || --pauses > 0) return;  // its daemon may have been started anew meanwhile
    tell(node);
    world_.resume(node);
  });
}

void Stage::busy(std::size_t node, const Happening& happening) {
  ++plights_[node].busy;
  tell(node);
  world_.set_cpu(node, happening.amount);
  put_undo(happening, [this, node] {
    disturbed();
    if (--plights_[node].busy > 0) return;
    const NodeGroup* group = cast_.group(node);
    world_.set_cpu(node, group != nullptr ? group->cpu : Duration::zero());
    tell(node);
  });
}

void Stage::set_clock(std::size_t node, std::int64_t seconds_ahead) {
  disturbed();
  plights_[node].clock_s = seconds_ahead;
  tell(node);
  world_.set_clock_error(node, seconds_ahead);
}

void Stage::fail_disk(std::size_t node, const Happening& happening) {
  ++plights_[node].disk_faults;
  ++facts_.machines[node].disks;
  tell(node);
  world_.set_disk_failing(node, true);
  put_undo(happening, [this, node] {
    disturbed();
    if (--plights_[node].disk_faults > 0) return;
    world_.set_disk_failing(node, false);
    tell(node);
  });
}

void Stage::turn(std::size_t node, Behaviour behaviour, const Happening* happening) {
  plights_[node].condition.hostile = true;
  gang_->enlist(node);
  tell(node);
  world_.set_meddler(node, make_hostile(behaviour, {.gang = gang_, .seed = seed_of("hostile " + std::to_string(node))}));
  if (happening != nullptr) put_undo(*happening, [this, node] { world_.set_meddler(node, nullptr); });
}

}  // namespace wigwag::sim
