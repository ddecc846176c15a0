"""What no listener may read, and what no piece may be asked for."""

import pytest

from parcours_xl.domain.wording import FORBIDDEN, asks_for_voice, find_forbidden

FORBIDDEN_TEXTS = {
    "breath-holding": [
        "Inspirez, puis retenez votre souffle pendant quatre secondes.",
        "Bloquez doucement la respiration.",
        "Gardez l’air dans vos poumons.",
        "Une courte apnée.",
        "Restez poumons pleins.",
        "Expirez et tenez quatre secondes.",
        "Gardez votre respiration quatre temps.",
        "Gardez la respiration un instant.",
        "Inspirez, tenez, soufflez.",
        "Inspirez puis attendez quatre secondes avant de souffler.",
        "Attendez un peu avant d'expirer.",
        "Hold your breath for a count of four.",
        "Hold the inhale for four counts.",
        "Breathe in, pause, breathe out.",
        "Wait before you exhale.",
        "Try box breathing.",
        "The 4-7-8 rhythm.",
    ],
    "exposure": [
        "Exposez-vous à ce qui vous fait peur.",
        "Affrontez la situation.",
        "Imaginez le pire, puis restez avec lui.",
        "Provoquez la sensation de vertige.",
        "Revivez ce moment.",
        "Pensez à ce qui vous fait peur et restez avec cette image.",
        "Face your fear.",
        "Think of what frightens you.",
        "Picture it: imagine the worst that could happen.",
    ],
    "hypnosis": [
        "Une séance d'hypnose douce.",
        "Vos paupières deviennent lourdes.",
        "Comptez de cinq à un.",
        "Je compte jusqu'à trois.",
        "Votre inconscient sait.",
        "Entrez en transe.",
        "Vos yeux se ferment, laissez-vous aller.",
        "Vous plongez dans un sommeil profond.",
        "Your eyelids grow heavy.",
        "You are drifting into a deep sleep.",
        "Count down from ten.",
    ],
    "acupressure": [
        "Appuyez sur le point LI4.",
        "Massez l'intérieur du poignet.",
        "Pressez entre le pouce et l'index.",
        "Tapotez vos clavicules.",
        "Pincez le muscle entre le pouce et l'index.",
        "Squeeze the web of your thumb.",
        "Pensez à SP6.",
        "Le point Yintang.",
        "Acupressure helps.",
        "Press the point on your wrist.",
        "Suivez le méridien du cœur.",
    ],
    "an end of what": [
        "Arrêter est toujours une bonne décision.",
        "Vous êtes libre d'arrêter à tout moment.",
        "Écoutez la musique. Vous pouvez arrêter.",
        "You are free to stop whenever you like.",
        "Stopping is always a good decision.",
        "You may end it here.",
    ],
    "medical claim": [
        "Cette musique guérit l'anxiété.",
        "Elle soigne et traite la douleur.",
        "Une thérapie par le son.",
        "Une musicothérapie éprouvée.",
        "Arrêtez votre médicament.",
        "Vos symptômes disparaîtront.",
        "Résultat garanti.",
        "Clinically proven.",
        "It will heal you.",
        "A treatment for panic.",
    ],
    "address or markup": [
        "Voir https://example.org",
        "Appelez le 01 23 45 67 89.",
        "<b>Bonjour</b>",
        "**Bonjour**",
        "Bonjour\x07",
    ],
}
GENTLE_TEXTS = [
    "Regardez autour de vous. Nommez cinq choses que vous voyez.",
    "Votre souffle va et vient à son rythme.",
    "Laissez l'air entrer et sortir comme il veut.",
    "Ouvrez les yeux, sentez vos pieds au sol.",
    "Prenez soin de vous, sans hâte.",
    "Un trait de lumière passe sous la porte.",
    "Posez une main sur le cœur si cela vous fait du bien.",
    "Appuyez-vous contre le dossier.",
    "Les pensées difficiles peuvent passer.",
    "Les pensées qui font peur passent aussi.",
    "L'air entre, l'air sort, rien à tenir.",
    "Le sommeil viendra quand il voudra.",
    "Gardez ce qui vous fait du bien.",
    "Breathe in as you like, breathe out as you like.",
    "Comptez sur la musique, elle reste là.",
    "La musique dure 20 minutes.",
    "Vous pouvez arrêter la musique à tout moment.",
    "You can stop the music whenever you like.",
    "S'arrêter un instant",
    "Let the sound hold you, and breathe as you like.",
    "A hand on your chest, if that feels good.",
]


def test_every_rule_has_its_examples() -> None:
    assert set(FORBIDDEN_TEXTS) == set(FORBIDDEN)


@pytest.mark.parametrize(
    ("rule", "text"), [(rule, text) for rule, texts in FORBIDDEN_TEXTS.items() for text in texts]
)
def test_an_instruction_or_claim_is_found(rule: str, text: str) -> None:
    assert find_forbidden(text) == rule
    assert find_forbidden(f"Bonjour. {text.upper()} Merci.") == rule


@pytest.mark.parametrize("text", GENTLE_TEXTS)
def test_gentle_words_pass(text: str) -> None:
    assert find_forbidden(text) is None


@pytest.mark.parametrize(
    "prompt",
    [
        "Soft pads with female vocals",
        "no drums, soft vocals",
        "a choir singing in French",
        "spoken word over piano",
        "lyrics about the sea",
        "gentle narration and pads",
        "whispered words over a drone",
        "Une voix douce",
        "[Verse] la la la",
        "rap over lofi",
        "no vocals at first, then a singer enters",
    ],
)
def test_a_prompt_that_asks_for_a_voice_is_found(prompt: str) -> None:
    assert asks_for_voice(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        "instrumental, no vocals",
        "Instrumental with no vocals, lyrics or spoken word",
        "no vocals, no lyrics, no singing",
        "without any voice",
        "vocal-free ambient",
        "non-vocal textures",
        "airy wordless choir pads",
        "Tibetan singing bowls and low strings",
        "careful voice leading, inner voices moving by step",
        "a lyrical cello line",
        "narrative arc from dusk to dawn",
    ],
)
def test_a_prompt_for_instruments_passes(prompt: str) -> None:
    assert not asks_for_voice(prompt)
