"""The things of the world: what people call them, and the emoji that shows them where that has another name."""

from __future__ import annotations

COMMON: dict[str, str] = {  # by category
    "animal": "tiger, elephant, giraffe, zebra, rhinoceros, hippopotamus, camel, kangaroo, gorilla, bear, panda, fox, wolf,"
    " dog, cat, horse, cow, pig, sheep, goat, deer, rabbit, mouse, squirrel, bat, owl, eagle, parrot, swan, peacock,"
    " penguin, rooster, duck, turtle, crocodile, snake, lizard, frog, whale, dolphin, shark, fish, octopus, crab, snail,"
    " butterfly, bee, spider, scorpion, lion",
    "food": "pizza, hamburger, hot dog, taco, french fries, croissant, bread, cheese, fried egg, pancakes, doughnut, cupcake,"
    " birthday cake, ice cream, cookie, lollipop, popcorn, apple, pear, banana, orange, lemon, grapes, strawberry,"
    " cherries, peach, pineapple, watermelon, avocado, tomato, eggplant, carrot, corn, broccoli, mushroom, chili pepper,"
    " sushi, cup of coffee, beer mug, glass of wine, teapot, honey pot",
    "vehicle": "bicycle, motorcycle, motor scooter, car, taxi, bus, fire engine, ambulance, police car, truck, tractor,"
    " racing car, steam train, airplane, helicopter, rocket, sailboat, ship, motorboat, canoe, flying saucer, parachute",
    "place": "castle, house, church, tent, ferris wheel, volcano, desert island, factory, fountain, snowy mountain",
    "nature": "rainbow, cactus, palm tree, pine tree, tree, tulip, rose, sunflower, maple leaf, four leaf clover, sun, moon,"
    " star, fire, cloud",
    "thing": "guitar, trumpet, drum, saxophone, accordion, piano, key, lock, hammer, axe, scissors, candle, light bulb,"
    " paper lantern, books, pencil, crown, ring, diamond, backpack, top hat, umbrella, glasses, running shoe, dress,"
    " t-shirt, chair, bed, alarm clock, camera, telephone, television, football, basketball, trophy, balloon, kite,"
    " gift, anchor, bell, bomb, magnet, telescope, microscope, boot, high heels, puzzle piece, dice, magic wand, compass",
}
OTHERS = (  # not taught to the base: a network of its size learns fewer things better
    "rhinoceros, hippopotamus, goat, squirrel, duck, lizard, scorpion, taco, pancakes, peach, eggplant, sushi, honey pot,"
    " motor scooter, police car, racing car, motorboat, canoe, parachute, fountain, snowy mountain, four leaf clover, cloud,"
    " saxophone, accordion, axe, pencil, bed, kite, bomb, magnet, telescope, microscope, boot, high heels, puzzle piece,"
    " dice, magic wand, compass"
)
UNSEEN: dict[str, str] = {  # by the base, too; LoRA draw them
    "animal": "dragon, dinosaur, koala, lobster, hedgehog, flamingo, unicorn, squid",
    "food": "waffle, bubble tea",
    "thing": "violin, pumpkin lantern, robot, ghost, snowman, teddy bear",
}
EMOJI = {
    "sheep": "ewe",
    "squirrel": "chipmunk",
    "bee": "honeybee",
    "fish": "tropical-fish",
    "whale": "spouting-whale",
    "cheese": "cheese-wedge",
    "fried egg": "cooking",
    "ice cream": "soft-ice-cream",
    "apple": "red-apple",
    "orange": "tangerine",
    "corn": "ear-of-corn",
    "chili pepper": "hot-pepper",
    "cup of coffee": "hot-beverage",
    "glass of wine": "wine-glass",
    "car": "automobile",
    "truck": "delivery-truck",
    "steam train": "locomotive",
    "motorboat": "speedboat",
    "snowy mountain": "snow-capped-mountain",
    "pine tree": "evergreen-tree",
    "tree": "deciduous-tree",
    "moon": "crescent-moon",
    "piano": "musical-keyboard",
    "lock": "locked",
    "paper lantern": "red-paper-lantern",
    "diamond": "gem-stone",
    "football": "soccer-ball",
    "gift": "wrapped-gift",
    "boot": "womans-boot",
    "high heels": "high-heeled-shoe",
    "dice": "game-die",
    "dinosaur": "t-rex",
    "pumpkin lantern": "jack-o-lantern",
    "snowman": "snowman-without-snow",
}


def _listed(names: dict[str, str]) -> dict[str, str]:
    return {name.strip(): category for category, line in names.items() for name in line.split(",")}


SUBJECTS = _listed(COMMON) | _listed(UNSEEN)  # name -> category
NEW_SUBJECTS = _listed(UNSEEN)
LEFT_OUT = frozenset(OTHERS.split(", "))
BASE_SUBJECTS = {name: of for name, of in SUBJECTS.items() if name not in LEFT_OUT and name not in NEW_SUBJECTS}
PLURAL = frozenset(
    {"french fries", "pancakes", "grapes", "cherries", "books", "glasses", "scissors", "high heels", "dice"}
)
UNCOUNTED = frozenset({"bread", "cheese", "fire", "popcorn", "corn", "broccoli", "sushi"})
UNIQUE = frozenset({"sun", "moon"})


def emoji(subject: str) -> str:
    return EMOJI.get(subject, subject.replace(" ", "-"))


def with_article(subject: str) -> str:
    if subject in PLURAL or subject in UNCOUNTED:
        return subject
    if subject in UNIQUE:
        return f"the {subject}"
    return f"{'an' if subject[0] in 'aeio' or subject == 'umbrella' else 'a'} {subject}"
